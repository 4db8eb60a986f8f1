# Random messages of Counterparty, packed by counterparty-core itself, in the format of tests/fixtures/colored/counterparty.
#
#   git clone https://github.com/CounterpartyXCP/counterparty-core && cd counterparty-core && git checkout ca2496dd    (11.2.0)
#   cd counterparty-core && pip install --target lib cbor2 arc4 python-bitcoinlib bitcoin-utils "bitstring<5"
#   PYTHONPATH=lib:. python3 tests/oracles/counterparty.py COUNT SEED DIRECTORY
#   cargo xtask vectors DIRECTORY
#
# What it packs with: `compose` of each message, without the checks against a ledger. Names and numbers of assets, MPMA's bits and the old form of
# addresses are its own as well. Its new form of addresses is compiled code that is not run here: a stand-in writes what its tests expect.
import json, random, sys
from unittest.mock import MagicMock

count, rng, directory = int(sys.argv[1]), random.Random(int(sys.argv[2])), sys.argv[3]


def load():
    """Imports it; what is not installed (servers, databases, compiled code) is replaced by nothing."""
    sys.modules['counterparty_rs'] = MagicMock()
    while True:
        try:
            from counterpartycore.lib import config, ledger
            from counterpartycore.lib.messages import broadcast, cancel, destroy, dispenser, dividend, issuance, order, sweep
            from counterpartycore.lib.messages.versions import enhancedsend, mpma
            from counterpartycore.lib.utils import address
            return config, ledger, address, dict(broadcast=broadcast, cancel=cancel, destroy=destroy, dispenser=dispenser, dividend=dividend,
                                                 issuance=issuance, order=order, sweep=sweep, send=enhancedsend, mpma=mpma)
        except ModuleNotFoundError as missing:
            sys.modules[missing.name] = MagicMock()


config, ledger, address, messages = load()
import bitcoin
import bitcoin.base58
from bitcoin.bech32 import CBech32Data

config.ENABLE_ALL_PROTOCOL_CHANGES = True
config.SHORT_TXTYPE_FORMAT = '>B'
config.ADDRESSVERSION, config.P2SH_ADDRESSVERSION = b'\x00', b'\x05'
config.BTC, config.XCP, config.NETWORK_NAME = 'BTC', 'XCP', 'mainnet'
assets = ledger.issuances
assets.get_asset_id = lambda db, name: assets.generate_asset_id(name)
assets.resolve_subasset_longname = lambda db, name: name
assets.value_out = lambda db, amount, name, divisible=None: amount
assets.is_divisible = lambda db, name: False
assets.get_issuances = lambda *a, **k: []
assets.get_assets_by_longname = lambda *a, **k: []
ledger.balances.get_balance = lambda *a, **k: 1 << 63
for module in messages.values():
    for name in ('validate', 'validate_compose'):
        if hasattr(module, name):
            setattr(module, name, lambda *a, **k: [])
    if hasattr(module, 'CurrentState'):
        module.CurrentState = MagicMock()
messages['sweep'].validate = lambda *a, **k: ([], 0)
messages['sweep'].empty_sweep_problem = lambda *a, **k: None
messages['order'].validate = lambda *a, **k: []
messages['dispenser'].validate = lambda *a, **k: (None, [])
messages['dividend'].validate = lambda *a, **k: (0, [], [], 0)
messages['cancel'].validate = lambda *a, **k: (None, None, [])


class Db:
    cursor = close = execute = lambda self, *a, **k: self


db = Db()
BITS = 63


def quantity(least=1):
    return max(least, rng.choice([rng.randrange(1000), rng.getrandbits(BITS), 10 ** rng.randrange(18), (1 << rng.randrange(BITS)) - 1]))


def name(plain=False):
    kind = rng.randrange(4)
    if kind == 0 and not plain:
        return 'XCP'
    if kind == 1:
        return 'A%d' % rng.randrange(26 ** 12 + 1, 2 ** 64)
    return rng.choice('BCDEFGHIJKLMNOPQRSTUVWXYZ') + ''.join(chr(65 + rng.randrange(26)) for _ in range(rng.randrange(3, 12)))


def asset(text):
    return {'id': str(assets.generate_asset_id(text)), 'name': text}


def data(raw):
    try:
        return {'hex': raw.hex(), 'text': raw.decode('utf8')}
    except UnicodeDecodeError:
        return {'hex': raw.hex()}


def text(most):
    return ''.join(rng.choice('abcdefgh XYZ0189.-/éü漢') for _ in range(rng.randrange(most)))


def memo():
    return text(12)


def on(network, raw):
    if raw[0] == 0x80:
        bitcoin.SelectParams(network)
        shown = str(CBech32Data.from_bytes(raw[0] - 0x80, raw[1:]))
        bitcoin.SelectParams('mainnet')
        return shown
    return bitcoin.base58.encode(raw + bitcoin.core.Hash(raw)[:4])


def destination():
    content = bytes(rng.getrandbits(8) for _ in range(20))
    kind = rng.choice(['p2pkh', 'p2sh', 'segwit v0'])
    lead = {'p2pkh': 0, 'p2sh': 5, 'segwit v0': 0x80}[kind]
    return kind, content, on('mainnet', bytes([lead]) + content)


def short(kind, content):
    return {'p2pkh': b'\x01', 'p2sh': b'\x02', 'segwit v0': b'\x03\x00'}[kind] + content


known = {}
address.utils.pack_address = lambda text, network: short(*known[text])
for module in messages.values():
    if hasattr(module, 'address') and module.address is not address:
        module.address = address


def shown(kind, content, packed, form):
    test = {'p2pkh': 111, 'p2sh': 196, 'segwit v0': 0x80}[kind]
    main = {'p2pkh': 0, 'p2sh': 5, 'segwit v0': 0x80}[kind]
    where = {'mainnet': on('mainnet', bytes([main]) + content), 'testnet': on('testnet', bytes([test]) + content)}
    if main == 0x80:
        where['regtest'] = on('regtest', bytes([main]) + content)
    field = 'program' if main == 0x80 else 'hash'
    return {'packed': packed.hex(), 'form': form, 'kind': kind, field: content.hex(), 'address': where}


def to():
    kind, content, written = destination()
    known[written] = (kind, content)
    return written, shown(kind, content, short(kind, content), 'short')


def send():
    what, amount, note, (where, field) = name(), quantity(), memo(), to()
    raw = messages['send'].compose(db, 's', where, what, amount, note or None, False, skip_validation=True)[2]
    return raw, 2, 'enhanced_send', 'cbor', {'asset': asset(what), 'quantity': str(amount), 'destination': field, 'memo': data(note.encode())}


def sweep():
    note, flags, (where, field) = memo(), rng.choice([1, 2, 3]), to()
    raw = messages['sweep'].compose(db, 's', where, flags, note, skip_validation=True)[2]
    return raw, 4, 'sweep', 'cbor', {'destination': field, 'flags': flags, 'memo': data(note.encode())}


def order():
    give, get = name(), name()
    a, b, blocks, fee = quantity(), quantity(), rng.getrandbits(16), rng.choice([0, quantity()])
    raw = messages['order'].compose(db, 's', give, a, get, b, blocks, fee, skip_validation=True)[2]
    return raw, 10, 'order', 'struct', {'give_asset': asset(give), 'give_quantity': str(a), 'get_asset': asset(get), 'get_quantity': str(b),
                                        'expiration': blocks, 'fee_required': str(fee)}


def dispenser():
    what, figures, status = name(), [quantity() for _ in range(3)], rng.choice([0, 10])
    raw = messages['dispenser'].compose(db, 's', what, *figures, status, skip_validation=True)[2]
    return raw, 12, 'dispenser', 'struct', {'asset': asset(what), 'give_quantity': str(figures[0]), 'escrow_quantity': str(figures[1]),
                                            'satoshi_rate': str(figures[2]), 'status': status, 'action_and_oracle': ''}


def destroy():
    what, amount, tag = name(), quantity(), memo()
    raw = messages['destroy'].pack(db, what, amount, tag)
    return raw, 110, 'destroy', 'struct', {'asset': asset(what), 'quantity': str(amount), 'tag': data(tag.encode())}


def dividend():
    what, pays, amount = name(True), name(), quantity()
    raw = messages['dividend'].compose(db, 's', amount, what, pays, skip_validation=True)[2]
    return raw, 50, 'dividend', 'struct', {'quantity_per_unit': str(amount), 'asset': asset(what), 'dividend_asset': asset(pays)}


def cancel():
    offer = '%064x' % rng.getrandbits(256)
    raw = messages['cancel'].compose(db, 's', offer, skip_validation=True)[2]
    return raw, 70, 'cancel', 'struct', {'offer_hash': offer}


def issuance():
    what, amount, flags, said = name(True), quantity(0), [rng.random() < 0.5 for _ in range(3)], rng.choice([None, text(60)])
    validated = (0, 0.0, [], 0, said, *flags, False, None)
    messages['issuance'].validate = lambda *a, **k: validated
    raw = messages['issuance'].compose(db, 's', what, amount, None, *flags, said, skip_validation=True)[2]
    fields = dict(zip(('divisible', 'lock', 'reset'), flags), asset=asset(what), quantity=str(amount), mime_type='',
                  description=None if said is None else data(said.encode()))
    return raw, 22, 'issuance_lr', 'cbor', fields


def broadcast():
    time, value, said = 1 + rng.getrandbits(32), rng.choice([0, rng.getrandbits(40), -rng.getrandbits(20) - 1, rng.getrandbits(30) / 64]), text(50)
    fee = rng.choice([0, 0, 0.05])
    raw = messages['broadcast'].compose(db, 's', time, value, fee, said, skip_validation=True)[2]
    return raw, 30, 'broadcast', 'cbor', {'timestamp': time, 'value': value, 'value_is_float_on_the_wire': isinstance(value, float),
                                          'fee_fraction_int': int(fee * 1e8), 'mime_type': '', 'text': data(said.encode())}


def mpma():
    places = [to()[0] for _ in range(rng.randrange(2, 6))]
    sends = [(what, where, quantity()) for what in {name() for _ in range(rng.randrange(1, 4))} for where in places if rng.random() < 0.7]
    if not sends or len({where for _, where, _ in sends}) < 2:
        return None
    # It numbers addresses in the order of their texts, and so it packs them.
    order_of = sorted({where for _, where, _ in sends})
    raw = messages['mpma'].compose(db, 's', sends, None, None, skip_validation=True)[2]
    lists = []
    for what in sorted({what for what, _, _ in sends}):
        rows = [{'destination_index': order_of.index(where), 'quantity': str(amount), 'memo': None} for n, where, amount in sends if n == what]
        lists.append({'asset': asset(what), 'sends': rows})
    packed = [shown(*known[where], address.pack_legacy(where), 'legacy') for where in order_of]
    return raw, 3, 'mpma', 'bits', {'destinations': packed, 'memo_for_all': None, 'lists': lists, 'canonical_padding': True}


makers = [send, sweep, order, dispenser, destroy, dividend, cancel, issuance, broadcast, mpma]
cases = []
while len(cases) < count:
    made = rng.choice(makers)()
    if made is not None:
        raw, number, kind, form, fields = made
        cases.append({'message': bytes(raw).hex(), 'type_id': number, 'type': kind, 'body_format': form, 'fields': fields, 'id': len(cases)})
json.dump(cases, open('%s/messages.json' % directory, 'w'), indent=1)
