//! How the native window looks: the tokens of the design, and a face for Chinese.

use eframe::egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Frame, Margin, Stroke, TextStyle, Theme, vec2,
};
use serde_json::Value;

/// The one place where colours are written down.
const TOKENS: &str = include_str!("../../../assets/tokens.json");

/// Around the text of a field.
pub(super) const FIELD: Margin = Margin::symmetric(8, 7);

/// The colours of one theme.
pub(super) struct Colours {
    dark: bool,
    tokens: Value,
}

impl Colours {
    pub(super) fn read(dark: bool) -> Colours {
        let mut tokens: Value = serde_json::from_str(TOKENS).expect("BUG: the tokens are JSON");
        Colours { dark, tokens: tokens["color"][if dark { "dark" } else { "light" }].take() }
    }

    /// A colour by its role.
    pub(super) fn of(&self, role: &str) -> Color32 {
        let written = self.tokens[role].as_str().and_then(|text| Color32::from_hex(text).ok());
        written.expect("BUG: the tokens hold this role as a plain colour")
    }
}

/// The ground of the window and the space around what it says.
pub(super) fn margins(colours: &Colours) -> Frame {
    Frame::new().fill(colours.of("canvas")).inner_margin(Margin::same(24))
}

/// Sets theme and fonts, once.
pub(super) fn dress(context: &Context, colours: &Colours, language: &str) {
    context.set_theme(if colours.dark { Theme::Dark } else { Theme::Light });
    context.all_styles_mut(|style| {
        style.spacing.item_spacing = vec2(12.0, 10.0);
        style.spacing.button_padding = vec2(14.0, 7.0);
        let sizes = [(TextStyle::Body, 14.0), (TextStyle::Button, 14.0), (TextStyle::Small, 12.0), (TextStyle::Heading, 20.0)];
        for (text, size) in sizes {
            style.text_styles.insert(text, FontId::proportional(size));
        }
        let visuals = &mut style.visuals;
        visuals.panel_fill = colours.of("canvas");
        visuals.text_edit_bg_color = Some(colours.of("raised"));
        visuals.weak_text_color = Some(colours.of("ink-2"));
        visuals.selection.bg_fill = colours.of("accent-soft");
        visuals.selection.stroke = Stroke::new(2.0, colours.of("focus"));
        let widgets = &mut visuals.widgets;
        let all =
            [&mut widgets.noninteractive, &mut widgets.inactive, &mut widgets.hovered, &mut widgets.active, &mut widgets.open];
        for look in all {
            look.fg_stroke = Stroke::new(1.0, colours.of("ink"));
            look.bg_fill = colours.of("raised");
            look.weak_bg_fill = colours.of("raised");
            look.bg_stroke = Stroke::new(1.0, colours.of("field-border"));
            look.corner_radius = CornerRadius::same(4);
        }
        visuals.widgets.hovered.bg_stroke = Stroke::new(1.0, colours.of("accent"));
        visuals.widgets.active.bg_stroke = Stroke::new(2.0, colours.of("focus"));
    });
    install_fonts(context, language);
}

/// egui ships no Chinese face; the system's is used when there is one.
fn install_fonts(context: &Context, language: &str) {
    const FACES: [&str; 3] = [
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    ];
    let Some(bytes) = FACES.iter().find_map(|path| std::fs::read(path).ok()) else { return };
    // Places in the collection: one code point is written differently in each region.
    let index = if language == "zh-Hant" { 3 } else { 2 };
    let mut fonts = FontDefinitions::default();
    fonts.font_data.insert("cjk".into(), FontData { index, ..FontData::from_owned(bytes) }.into());
    for family in [FontFamily::Proportional, FontFamily::Monospace] {
        fonts.families.entry(family).or_default().push("cjk".into());
    }
    context.set_fonts(fonts);
}
