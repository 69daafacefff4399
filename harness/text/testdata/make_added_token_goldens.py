# Decodes added tokens that are looked for in normalised text: added_tokens.golden.jsonl, one
# {"tokenizer", "text", "ids", "decoded", "decoded_without_special"} a line.
import json

from tokenizers import Tokenizer

BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
METASPACE = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                                                 {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
FROM_METASPACE = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "Fuse"},
                                                   {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
# Normaliser, decoder, added tokens as (content, normalized, special), texts.
CASES = [
    ({"type": "ByteLevel"}, BYTES, [("cafÖ", True, False), ("raw Ö", False, False), ("spé", True, True)],
     ["cafÖ x", "raw Ö x", "spé a", "cafÖcafÖ"]),
    ({"type": "Lowercase"}, None, [("Yesterday", True, False), ("Raw", False, False), ("SPEC", True, True), ("Y", True, False)],
     ["Yesterday a", "yesterday", "Raw", "raw", "SPEC", "spec", "Y", "y"]),
    ({"type": "Lowercase"}, BYTES, [("YES", True, True), ("yes", False, True), ("NO", True, True), ("Ünder", True, False)],
     ["YES yes NO no", "Ünder ünder"]),
    (METASPACE, FROM_METASPACE, [("foo", True, False), ("ba r", True, False), ("q", True, False), ("raw q", False, True)],
     ["foo", "a foo", "ba r", "ab foo ba r q", "a raw q"]),
    ({"type": "NFD"}, BYTES, [("é", True, False), ("É", True, True), ("ñ", False, False)], ["é", "e\u0301", "É", "ñ é"]),
    ({"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}]}, None, [("né", True, False)], ["né", "ne a"]),
    ({"type": "Strip", "strip_left": True, "strip_right": True}, None, [("  ", True, False), (" a ", True, False)], ["a   b", " a "]),
    ({"type": "Replace", "pattern": {"Regex": "[0-9]"}, "content": "x"}, None, [("n1", True, False)], ["n1 n2 nx"]),
    (None, BYTES, [("cafÖ", True, False), ("spé", True, True)], ["cafÖ x", "spé a"]),
]

with open("added_tokens.golden.jsonl", "w", encoding="utf8") as out:
    for normalizer, decoder, added, texts in CASES:
        vocabulary = {c: i for i, c in enumerate("abcdefghijklmnopqrstuvwxyzYĠÃ▁")}
        tokens = [{"id": len(vocabulary) + i, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
                   "normalized": normalized, "special": special} for i, (content, normalized, special) in enumerate(added)]
        document = {"version": "1.0", "added_tokens": tokens, "normalizer": normalizer, "pre_tokenizer": None, "post_processor": None,
                    "decoder": decoder, "model": {"type": "BPE", "vocab": vocabulary, "merges": []}}
        tokenizer = Tokenizer.from_str(json.dumps(document))
        for text in texts:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            out.write(json.dumps({"tokenizer": document, "text": text, "ids": ids,
                                  "decoded": tokenizer.decode(ids, skip_special_tokens=False),
                                  "decoded_without_special": tokenizer.decode(ids, skip_special_tokens=True)}, ensure_ascii=False) + "\n")
