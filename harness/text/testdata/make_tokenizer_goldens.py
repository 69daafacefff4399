# Encodes drawn strings with the tokenizers package: NAME.golden.jsonl for each NAME.tokenizer.json named on the command line.
import json
import random
import sys

from tokenizers import Tokenizer

PARTS = ["<|im_start|>", "<think>", "<mask>", " <mask> ", "  <rs>  \n", "Hello", "aHello", "Hello!", "<|bos|>", "<s>", "</s>", "<unk>", "naïve",
         "nai\u0308ve", "  ", "   ", "\t", "\n", "\r\n", "\n\n ", "\u00a0", "\u2003", "\u180e", "\u200b", "\u0085", "\u2028", "e\u0301", "\u0300",
         "👩‍👩‍👧‍👦", "🙂", "'s", "'LL", "'ſ", "ﬁ", "ß", "İ", "Ⅷ", "½", "१२३", "123456789", "3.14159", "你好", "日本語テスト", "한국어", "ไทย", "العربية", "▁", "▁▁x",
         "Ġ", "<0x41>", "\\frac{1}{2}", "$x^2$", "aaaaaaa" * 9, "1" * 20, "  " * 12, "=" * 30, "?!.", "…", "don't", "I'm", "WE'VE", "\x00", "\U0001F600",
         " the answer is ", "step by step", "Solve: ", "def f(x):\n    return x", "\\boxed{42}"]

for name in sys.argv[1:]:
    tokenizer = Tokenizer.from_file(name + ".tokenizer.json")
    draw = random.Random(7)
    with open(name + ".golden.jsonl", "w", encoding="utf8") as out:
        for _ in range(150):
            text = "".join(draw.choice(PARTS) if draw.random() < 0.7 else chr(draw.choice([draw.randrange(32, 127), draw.randrange(0xA0, 0x600),
                           draw.randrange(0x3040, 0x9FFF)])) for _ in range(draw.randrange(1, 8)))
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            cut = ids[draw.randrange(len(ids) + 1):][:draw.randrange(1, 9)] or [draw.randrange(tokenizer.get_vocab_size())]
            out.write(json.dumps({"text": text, "ids": ids, "with_special": tokenizer.encode(text).ids, "cut": cut,
                                  "cut_text": tokenizer.decode(cut, skip_special_tokens=False),
                                  "cut_text_without_special": tokenizer.decode(cut, skip_special_tokens=True)}, ensure_ascii=False) + "\n")
