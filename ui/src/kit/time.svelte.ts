// Clock and calendar in the words of the language.
import { language, t } from '$/words/index.svelte';

const clock = $state({ now: Math.floor(Date.now() / 1000) });
setInterval(() => {
  clock.now = Math.floor(Date.now() / 1000);
}, 1_000);

// Lists ask for these per row: they change once a day, not once a second.
const midnight = $derived.by(() => {
  const today = new Date(clock.now * 1000);
  return today.setHours(0, 0, 0, 0) / 1000;
});
const year = $derived(new Date(midnight * 1000).getFullYear());

/** Unix seconds; follows the clock in a template. */
export const now = (): number => clock.now;

export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return t('time.seconds', { n: s });
  if (s < 3_600) return t('time.minutes', { n: Math.round(s / 60) });
  if (s < 86_400) {
    const h = Math.floor(s / 3_600);
    const m = Math.round((s % 3_600) / 60);
    return m === 0 || m === 60 ? t('time.hours', { n: m === 60 ? h + 1 : h }) : t('time.hoursMinutes', { h, m });
  }
  return t('time.days', { n: Math.round(s / 86_400) });
}

export const about = (seconds: number): string => t('time.about', { duration: duration(seconds) });

const tag = (): string => (language() === 'en' ? 'en-GB' : language() === 'zh-Hans' ? 'zh-Hans-CN' : 'zh-Hant-TW');
const FORMS = {
  clock: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  day: { day: 'numeric', month: 'short' },
  date: { day: 'numeric', month: 'short', year: 'numeric' },
} satisfies Record<string, Intl.DateTimeFormatOptions>;
// Making a format costs far more than using it, and lists use it per row.
const formats = new Map<string, Intl.DateTimeFormat>();
function format(time: number, form: keyof typeof FORMS): string {
  const key = `${form} ${language()}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(tag(), FORMS[form]);
    formats.set(key, found);
  }
  return found.format(time * 1000);
}

export const clockTime = (time: number): string => format(time, 'clock');

export function day(time: number): string {
  return format(time, new Date(time * 1000).getFullYear() === year ? 'day' : 'date');
}

/** Today `14:02`, then `Yesterday`, then `19 Nov`. */
export function when(time: number): string {
  if (time >= midnight) return clockTime(time);
  return time >= midnight - 86_400 ? t('time.yesterday') : day(time);
}

/** Day and minute, for details. */
export const moment = (time: number): string => `${day(time)} ${clockTime(time)}`;
