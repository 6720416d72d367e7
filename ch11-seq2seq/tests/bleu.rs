//! BLEU is what sacreBLEU gives: `golden/bleu.json`, written by `golden/make_bleu.py`.

use ch11_seq2seq::corpus_bleu;
use serde_json::Value;

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().unwrap().iter();
    texts.map(|text| text.as_str().unwrap().into()).collect()
}

#[test]
fn scores_are_those_of_sacrebleu() {
    let cases: Value =
        serde_json::from_slice(&std::fs::read("tests/golden/bleu.json").unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() > 10);
    for (i, case) in cases.iter().enumerate() {
        let found = corpus_bleu(&texts(&case["translations"]), &texts(&case["references"]));
        let near = |what: &str, found: f64, want: &Value| {
            let want = want.as_f64().unwrap();
            assert!(
                (found - want).abs() < 1e-9 * want.max(1.0),
                "{what} of case {i}: {found} {want}"
            );
        };
        near("score", found.score, &case["score"]);
        near(
            "brevity penalty",
            found.brevity_penalty,
            &case["brevity penalty"],
        );
        near("tokens", found.tokens as f64, &case["tokens"]);
        near(
            "tokens of references",
            found.reference_tokens as f64,
            &case["reference tokens"],
        );
        for (n, precision) in found.precisions.into_iter().enumerate() {
            near("precision", precision, &case["precisions"][n]);
        }
    }
}
