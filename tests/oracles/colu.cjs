// Random cases of Colu's Coloured Coins, answered by the official encoders, in the format of tests/fixtures/colored/colu.
//
//   mkdir /tmp/oracle && cd /tmp/oracle && npm init -y
//   npm install --ignore-scripts cc-transaction@1.2.1 cc-get-assets-outputs@1.2.1 sffc-encoder@0.1.12
//   NODE_PATH=/tmp/oracle/node_modules node --no-deprecation tests/oracles/colu.cjs COUNT SEED DIRECTORY
//   cargo xtask vectors DIRECTORY
//
// Amounts of 2^53 and above are left out: there the encoders count in doubles.
'use strict';
const fs = require('fs');
const path = require('path');
const Transaction = require('cc-transaction');
const colour = require('cc-get-assets-outputs');
const sffc = require('sffc-encoder');

const [count, seed, directory] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];

// xorshift, so that a seed gives the same cases everywhere.
let state = BigInt(seed) * 0x9e3779b97f4a7c15n + 1n;
const word = () => {
  const mask = (1n << 64n) - 1n;
  state &= mask;
  state ^= (state << 13n) & mask;
  state ^= state >> 7n;
  state ^= (state << 17n) & mask;
  return state;
};
const below = (n) => Number(word() % BigInt(n));
const pick = (items) => items[below(items.length)];
const hex = (bytes) => Array.from({ length: bytes }, () => below(256).toString(16).padStart(2, '0')).join('');
const amount = () => {
  switch (below(4)) {
    case 0:
      return below(40);
    case 1:
      return Number(word() & ((1n << 53n) - 1n));
    case 2:
      return below(1000) * 10 ** below(13);
    default:
      return 2 ** below(53) - below(2);
  }
};
const flag = (n) => below(n) === 0;
const cases = (make) => Array.from({ length: count }, (_, id) => ({ ...make(), id: `random ${id}` }));
const write = (name, value) => fs.writeFileSync(path.join(directory, name), JSON.stringify(value, null, 1));

const policies = ['aggregatable', 'hybrid', 'dispersed'];

function payments(burns, inputs) {
  const list = [];
  let input = 0;
  for (let left = below(6) + (burns ? 1 : 0); left > 0; left--) {
    if (list.length > 0 && flag(3) && input + 1 < inputs) input++;
    if (burns && flag(2)) list.push({ input, burn: true, percent: false, amount: amount() });
    else {
      const range = flag(12);
      list.push({ input, output: range ? below(8192) : below(burns ? 31 : 32), range, percent: flag(12), amount: amount() });
    }
  }
  return list;
}

const text = (list) => list.map((payment) => ({ ...payment, amount: String(payment.amount) }));

function message() {
  const type = pick(['issuance', 'transfer', 'burn']);
  const list = payments(type === 'burn', 5);
  const burns = list.some((payment) => payment.burn);
  const wanted = { type, rules_allowed: flag(2), payments: text(list) };
  const transaction = new Transaction({ type: burns ? 'burn' : type === 'burn' ? 'transfer' : type, payments: JSON.parse(JSON.stringify(list)) });
  if (wanted.rules_allowed) transaction.allowRules();
  if (type === 'issuance') {
    Object.assign(wanted, { amount: String(amount()), divisibility: below(8), lock_status: flag(2), aggregation_policy: pick(policies) });
    transaction.amount = Number(wanted.amount);
    transaction.divisibility = wanted.divisibility;
    transaction.lockStatus = wanted.lock_status;
    transaction.aggregationPolicy = wanted.aggregation_policy;
  }
  const hashes = below(3);
  if (hashes > 0) {
    wanted.torrent_hash = hex(20);
    if (hashes > 1) wanted.sha2 = hex(32);
    transaction.setHash(wanted.torrent_hash, wanted.sha2);
  }
  let encoded;
  try {
    encoded = transaction.encode();
  } catch (error) {
    return { ...wanted, error: error.message };
  }
  const payload = encoded.codeBuffer.toString('hex');
  const read = Transaction.fromHex(encoded.codeBuffer).toJson();
  const decoded = { type: read.type, version: 2, payments: text(read.payments).map((p) => (p.burn ? p : { ...p, range: p.range })) };
  if (read.type === 'issuance') {
    Object.assign(decoded, { amount: String(read.amount), divisibility: read.divisibility, lock_status: read.lockStatus, aggregation_policy: read.aggregationPolicy });
  }
  const push = encoded.codeBuffer.length > 75 ? '4c' : '';
  const script = `6a${push}${encoded.codeBuffer.length.toString(16).padStart(2, '0')}${payload}`;
  return { ...wanted, payload, leftover: (encoded.leftover || []).map((hash) => hash.toString('hex')), decoded, script };
}

function colouring() {
  const inputs = Array.from({ length: 1 + below(4) }, () =>
    Array.from({ length: below(4) }, () => {
      const asset = pick(['A', 'B', 'H', 'D']);
      return { asset, amount: 1 + below(12), policy: { A: 'aggregatable', B: 'aggregatable', H: 'hybrid', D: 'dispersed' }[asset] };
    }),
  );
  const output_count = 1 + below(5);
  const list = [];
  let input = 0;
  for (let left = below(6); left > 0; left--) {
    if (flag(3)) input += flag(8) ? 2 : 1;
    if (flag(7)) list.push({ input, burn: true, percent: false, amount: below(12) });
    else list.push({ input, output: below(output_count + (flag(8) ? 1 : 0)), range: flag(40), percent: flag(40), amount: below(12) });
  }
  const first_input = { txid: hex(32), vout: below(4), previous_output_script: `76a914${hex(20)}88ac` };
  const made = { inputs, output_count, payments: list, first_input };
  const raw = {
    txid: hex(32),
    vin: inputs.map((assets, index) => ({
      ...(index === 0 ? { txid: first_input.txid, vout: first_input.vout, previousOutput: { hex: first_input.previous_output_script } } : {}),
      assets: assets.map((held) => ({ assetId: held.asset, amount: held.amount, aggregationPolicy: held.policy })),
    })),
    vout: Array.from({ length: output_count }, () => ({})),
    ccdata: [{ type: 'transfer', payments: JSON.parse(JSON.stringify(list)) }],
  };
  if (flag(4)) {
    made.issuance = { amount: 1 + below(30), divisibility: below(8), lock_status: flag(2), aggregation_policy: pick(policies) };
    const { amount, divisibility, lock_status, aggregation_policy } = made.issuance;
    Object.assign(raw.ccdata[0], { type: 'issuance', amount, divisibility, lockStatus: lock_status, aggregationPolicy: aggregation_policy });
  }
  const got = colour(raw);
  const outputs = Array.from({ length: output_count }, (_, index) =>
    (got[index] || []).map((held) => ({ asset: held.assetId, amount: held.amount, policy: held.aggregationPolicy })),
  );
  return { name: 'random', ...made, overflow: raw.overflow, outputs };
}

fs.mkdirSync(directory, { recursive: true });
write('sffc.json', cases(() => {
  const n = amount();
  return { kind: 'encode', amount: String(n), hex: sffc.encode(n).toString('hex') };
}));
write('transfer.json', cases(message));
write('coloring.json', cases(colouring));
