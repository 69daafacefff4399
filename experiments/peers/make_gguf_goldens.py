"""Golden file for dequantisation: random blocks of every type and the floats that the `gguf` package reads from them.

    python experiments/peers/make_gguf_goldens.py harness/model/testdata
"""

import argparse
import importlib.metadata
import json
import pathlib

import gguf
import numpy as np

SEED = 20261123
TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
# Where the half-precision scales of a block lie: random bytes there would be infinities and not-a-numbers at times.
HALVES = {"F16": [0], "BF16": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82],
          "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def blocks_of(name, generator):
    kind = gguf.GGMLQuantizationType[name]
    block, size = gguf.GGML_QUANT_SIZES[kind]
    count = 8 if block == 1 else 2
    blocks = generator.integers(0, 256, (count, size), dtype=np.uint8)
    for place in HALVES.get(name, []):
        halves = generator.normal(0, 0.05, count)
        if name == "BF16":
            bits = halves.astype(np.float32).view(np.uint8).reshape(count, 4)[:, 2:]
        else:
            bits = halves.astype(np.float16).view(np.uint8)
        blocks[:, place:place + 2] = bits.reshape(count, 2)
    if name == "F32":
        blocks = generator.normal(0, 1, count).astype(np.float32).view(np.uint8).reshape(count, 4)
    packed = np.ascontiguousarray(blocks.reshape(1, -1))
    typed = packed.view(np.float32) if name == "F32" else packed.view(np.float16) if name == "F16" else packed
    values = np.asarray(gguf.dequantize(typed, kind), dtype=np.float32).reshape(-1)
    assert values.size == count * block and np.isfinite(values).all(), name
    return {"number": int(kind), "packed": packed.tobytes().hex(), "length": int(values.size), "bits": values.tobytes().hex()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    generator = np.random.default_rng(SEED)
    golden = {name: blocks_of(name, generator) for name in TYPES}
    (arguments.folder / "gguf_blocks.json").write_text(json.dumps(golden, indent=1) + "\n")
    (arguments.folder / "gguf_blocks.origin.toml").write_text(
        f'program = "gguf (Python package)"\nversion = "{importlib.metadata.version("gguf")}"\n'
        f'command = "python experiments/peers/make_gguf_goldens.py harness/model/testdata"\nseed = {SEED}\n')


if __name__ == "__main__":
    main()
