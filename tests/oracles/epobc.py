# Random cases of EPOBC, answered by coloredcoinlib, in the formats of tests/fixtures/colored/epobc.
#
#   git clone https://github.com/chromaway/ngcccbase && cd ngcccbase && git checkout 0a7348d
#   python3.11 -m lib2to3 -w -n coloredcoinlib    (it is of Python 2; later versions of Python have no lib2to3)
#   : > coloredcoinlib/__init__.py                (which would import its storage)
#   pip install --target lib python-bitcoinlib==0.2.1
#   PYTHONPATH=lib:. python3 tests/oracles/epobc.py COUNT SEED DIRECTORY
#   cargo xtask vectors DIRECTORY
import json, random, sys
from types import SimpleNamespace as Thing
from coloredcoinlib.colordef import EPOBCColorDefinition
from coloredcoinlib.colorvalue import SimpleColorValue

count, rng, directory = int(sys.argv[1]), random.Random(int(sys.argv[2])), sys.argv[3]
GENESIS, TRANSFER = 0b100101, 0b110011


def sequence():
    kind = rng.randrange(10)
    code = rng.choice([0, 0, 1, 2, 3, 4, 10, rng.randrange(64)])
    upper = rng.choice([0, 0, 0, rng.getrandbits(20)]) << 12
    if kind == 0:
        return rng.getrandbits(32)
    return (GENESIS if kind < 3 else TRANSFER) | code << 6 | upper


def transaction(nsequence, values, name):
    first = Thing(prevout=Thing(is_null=lambda: False), nSequence=nsequence)
    return Thing(raw=Thing(vin=[first]), outputs=[Thing(value=v) for v in values], hash=name, ensure_input_values=lambda: None)


def kernel():
    own = sequence()
    tag = EPOBCColorDefinition.Tag.from_nSequence(own)
    padding = tag.get_padding() if tag else 0
    if padding > 1 << 40:
        padding = 0
    values, inputs, left = [], [], 0
    for _ in range(rng.randrange(1, 6)):
        previous = rng.choice([own & ~0x3f | TRANSFER, own & ~0x3f | GENESIS, sequence()])
        tag_before = EPOBCColorDefinition.Tag.from_nSequence(previous)
        before = tag_before.get_padding() if tag_before else 0
        units = rng.randrange(1, 9)
        satoshi = max(0, units + (before if before < 1 << 40 else 0) - rng.choice([0, 0, 0, 0, 1]))
        # What readers say of an earlier output is its value without the padding, or nothing.
        colour = satoshi - before if satoshi > before and rng.randrange(8) else None
        inputs.append((satoshi, colour, previous))
        values.append(units)
    for _ in range(rng.randrange(1, 6)):
        left += 1
    outputs = [max(0, padding + rng.choice(values + [sum(values[:2]), 1, 0])) for _ in range(left)]
    genesis = rng.randrange(3) == 0
    colour = EPOBCColorDefinition(1, {'txhash': 'own' if genesis else 'other', 'outindex': 0, 'height': 1})
    tx = transaction(own, outputs, 'own')
    tx.inputs = [Thing(value=satoshi, prevtx=transaction(previous, [], 'p')) for satoshi, _, previous in inputs]
    held = [None if units is None else SimpleColorValue(colordef=colour, value=units) for _, units, _ in inputs]
    result = [None if value is None else value.get_value() for value in colour.run_kernel(tx, held)]
    return {
        'nsequence_of_input_0': own,
        'is_the_genesis_transaction_of_the_colour': genesis,
        'inputs': [
            {'satoshi': satoshi, 'colour_value': units, 'nsequence_of_input_0_of_previous_transaction': previous}
            for satoshi, units, previous in inputs
        ],
        'outputs_satoshi': outputs,
        'expected_colour_values': result,
    }


def tag():
    if rng.randrange(4) == 0:
        minimum = rng.choice([rng.randrange(-3, 70), rng.getrandbits(rng.randrange(1, 60))])
        return {'minimum_padding': minimum, 'padding_code': EPOBCColorDefinition.Tag.closest_padding_code(minimum)}
    nsequence = sequence()
    read = EPOBCColorDefinition.Tag.from_nSequence(nsequence)
    shown = read and {'genesis': read.is_genesis, 'padding_code': read.padding_code, 'padding': read.get_padding()}
    return {'nsequence': nsequence, 'tag': shown}


for name, make in (('kernel', kernel), ('tags', tag)):
    cases = [dict(make(), name='random %d' % n) for n in range(count)]
    json.dump(cases, open('%s/%s.json' % (directory, name), 'w'), indent=1)
