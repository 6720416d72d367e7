"""Writes bleu.json: corpora of small translations and the scores that sacreBLEU gives them, which `bleu.rs` compares with.

Needs `pip install sacrebleu`; the tests do not. Run it in its own folder.
"""

import json
import random

import sacrebleu

WORDS = "le chat noir dort sur la table , il est tard . j'ai vu 1,000.5 chiens ! l'an 1990-2000 (oui) a&b «non» etc. d'accord".split()


def corpus(seed, size, longest, noise):
    """References of up to `longest` words, and translations with a part of the words exchanged, left out or said twice."""
    draw = random.Random(seed)
    references, translations = [], []
    for _ in range(size):
        reference = [draw.choice(WORDS) for _ in range(draw.randint(0 if seed == 5 else 1, longest))]
        translation = []
        for word in reference:
            if draw.random() > noise:
                translation.append(word)
            else:
                translation += [[], [draw.choice(WORDS)], [word, word]][draw.randrange(3)]
        references.append(" ".join(reference))
        translations.append(" ".join(translation))
    return translations, references


cases = [corpus(1, 20, 12, 0.2), corpus(2, 30, 6, 0.5), corpus(3, 5, 3, 0.3), corpus(4, 8, 8, 0.9), corpus(5, 12, 5, 0.4)]
cases += [
    (["le chat noir dort"], ["le chat noir dort"]),
    (["le chat"], ["le chat noir dort sur la table"]),
    (["le le le le le le le"], ["le chat est sur le toit rouge"]),
    (["rien", ""], ["autre chose ici", "encore"]),
    ([""], ["quelque chose"]),
    (["les animaux ont peur du feu", "quel temps fait il aujourd'hui"], ["certains animaux craignent le feu", "quel temps fait il aujourd'hui"]),
]
results = []
for translations, references in cases:
    bleu = sacrebleu.corpus_bleu(translations, [references], force=True)
    results.append(
        {
            "translations": translations,
            "references": references,
            "score": bleu.score,
            "precisions": bleu.precisions,
            "brevity penalty": bleu.bp,
            "tokens": bleu.sys_len,
            "reference tokens": bleu.ref_len,
        }
    )
with open("bleu.json", "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(result, ensure_ascii=False) for result in results) + "\n]\n")
print(sacrebleu.__version__, [round(result["score"], 2) for result in results])
