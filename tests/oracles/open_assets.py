# Random cases of Open Assets, answered by the reference implementation, in the formats of tests/fixtures/colored/openassets.
#
#   git clone https://github.com/OpenAssets/openassets && cd openassets && git checkout e8eb5b8
#   pip install --target lib python-bitcoinlib==0.2.1
#   sed -i 's/asyncio\.async(/asyncio.ensure_future(/; s/@asyncio.coroutine/@types.coroutine/; s/^import asyncio$/import asyncio, types/' openassets/protocol.py
#   PYTHONPATH=lib:. python3 tests/oracles/open_assets.py COUNT SEED DIRECTORY
#   cargo xtask vectors DIRECTORY
#
# The reference takes numbers of more than nine bytes, which the specification forbids: such cases are left out.
import json, random, sys
import bitcoin.core as core
import bitcoin.core.script as script
from openassets.protocol import ColoringEngine, MarkerOutput, OutputType, TransactionOutput

count, rng, directory = int(sys.argv[1]), random.Random(int(sys.argv[2])), sys.argv[3]


def quantity():
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randrange(40)
    if kind == 1:
        return rng.getrandbits(63)
    if kind == 2:
        return (1 << rng.randrange(63)) - rng.randrange(2)
    return rng.randrange(1000) * 10 ** rng.randrange(15)


def long_number(payload):
    """Whether a number may have more than nine bytes, or more bytes than it needs."""
    run = 0
    for byte in payload[4:]:
        run = run + 1 if byte & 0x80 else 0
        if run >= 9:
            return True
    return any(a & 0x80 and b == 0 for a, b in zip(payload[4:], payload[5:]))


def marker():
    quantities = [quantity() for _ in range(rng.randrange(8))]
    metadata = bytes(rng.getrandbits(8) for _ in range(rng.choice([0, 0, 5, 20])))
    payload = MarkerOutput(quantities, metadata).serialize_payload()
    for _ in range(rng.choice([0, 0, 1, 2])):
        at = rng.randrange(len(payload) + 1)
        act = rng.randrange(3)
        if act == 0:
            payload = payload[:at]
        elif act == 1:
            payload = payload[:at] + bytes([rng.getrandbits(8)]) + payload[at:]
        elif at < len(payload):
            payload = payload[:at] + bytes([payload[at] ^ 1 << rng.randrange(8)]) + payload[at + 1:]
    if long_number(payload) or len(payload) < 2:
        return None
    whole = MarkerOutput.build_script(payload)
    found = MarkerOutput.parse_script(whole)
    try:
        read = MarkerOutput.deserialize_payload(found) if found is not None else None
    except OverflowError:
        # Metadata of more bytes than there can be; the reference does not catch it.
        read = None
    case = {'script': bytes(whole).hex(), 'payload': payload.hex(), 'valid': read is not None}
    if read is None:
        return dict(case, quantities=[], metadata='', why='the reference refuses it')
    return dict(case, quantities=[str(q) for q in read.asset_quantities], metadata=read.metadata.hex())


def colouring():
    names = {'A': b'a' * 20, 'B': b'b' * 20, 'C': b'c' * 20}
    inputs = []
    for _ in range(rng.randrange(1, 7)):
        asset = rng.choice(['A', 'A', 'B', 'C', None])
        inputs.append((asset, rng.randrange(1, 12) if asset else 0))
    outputs = rng.randrange(1, 9)
    position = rng.randrange(outputs)
    quantities = [rng.choice([0, rng.randrange(8), rng.randrange(16)]) for _ in range(rng.randrange(outputs + 1))]
    own = script.CScript(b'\x51')
    spent = [TransactionOutput(1, own, names.get(asset), amount, OutputType.transfer) for asset, amount in inputs]
    made = [core.CTxOut(1, script.CScript(b'\x52')) for _ in range(outputs)]
    result = ColoringEngine._compute_asset_ids(spent, position, made, quantities)
    back = {value: key for key, value in names.items()}
    back[ColoringEngine.hash_script(bytes(own))] = 'ISSUE'
    expected = None
    if result is not None:
        expected = [{'asset': back.get(o.asset_id), 'quantity': o.asset_quantity} for o in result]
    inputs = [{'asset': asset, 'quantity': amount} for asset, amount in inputs]
    return {'inputs': inputs, 'marker_position': position, 'output_count': outputs, 'quantities': quantities, 'expected': expected}


def write(name, make):
    cases = []
    while len(cases) < count:
        case = make()
        if case is not None:
            cases.append(dict(case, name='random %d' % len(cases)))
    json.dump(cases, open('%s/%s.json' % (directory, name), 'w'), indent=1)


def number():
    value = quantity()
    return {'value': str(value), 'leb128': MarkerOutput.leb128_encode(value).hex()}


write('markers', marker)
write('coloring_units', colouring)
write('leb128', number)
