//! What stands in for the English-French sentences: a small grammar that makes sentences of both languages at once. Adjectives change
//! places, articles and adjectives agree with the noun, verbs with the subject, and a negation becomes two words.

use super::sentences::SentencePair;

/// For the report.
pub(super) const ORIGIN: &str = "sentences of a small English-French grammar, built in";

/// English, French, and the form of the verbs that it goes with.
const SUBJECTS: [(&str, &str, usize); 8] = [
    ("I", "je", 0),
    ("you", "tu", 1),
    ("he", "il", 2),
    ("she", "elle", 2),
    ("we", "nous", 3),
    ("they", "ils", 4),
    ("Tom", "Tom", 2),
    ("Mary", "Marie", 2),
];

/// English, also after "he", and the French forms after je, tu, il, nous, ils.
const VERBS: [(&str, &str, [&str; 5]); 8] = [
    ("see", "sees", ["vois", "vois", "voit", "voyons", "voient"]),
    (
        "take",
        "takes",
        ["prends", "prends", "prend", "prenons", "prennent"],
    ),
    (
        "want",
        "wants",
        ["veux", "veux", "veut", "voulons", "veulent"],
    ),
    (
        "sell",
        "sells",
        ["vends", "vends", "vend", "vendons", "vendent"],
    ),
    (
        "know",
        "knows",
        [
            "connais",
            "connais",
            "connaît",
            "connaissons",
            "connaissent",
        ],
    ),
    (
        "like",
        "likes",
        ["aime", "aimes", "aime", "aimons", "aiment"],
    ),
    (
        "buy",
        "buys",
        ["achète", "achètes", "achète", "achetons", "achètent"],
    ),
    (
        "look for",
        "looks for",
        ["cherche", "cherches", "cherche", "cherchons", "cherchent"],
    ),
];

/// English, French, and whether the French word is feminine.
const NOUNS: [(&str, &str, bool); 12] = [
    ("cat", "chat", false),
    ("dog", "chien", false),
    ("book", "livre", false),
    ("car", "voiture", true),
    ("house", "maison", true),
    ("flower", "fleur", true),
    ("table", "table", true),
    ("hat", "chapeau", false),
    ("boat", "bateau", false),
    ("key", "clé", true),
    ("shirt", "chemise", true),
    ("garden", "jardin", false),
];

/// English, French before a masculine and a feminine noun.
const ARTICLES: [(&str, &str, &str); 4] = [
    ("the", "le", "la"),
    ("a", "un", "une"),
    ("my", "mon", "ma"),
    ("this", "ce", "cette"),
];

/// English, and French after a masculine and a feminine noun.
const ADJECTIVES: [(&str, &str, &str); 6] = [
    ("black", "noir", "noire"),
    ("white", "blanc", "blanche"),
    ("green", "vert", "verte"),
    ("blue", "bleu", "bleue"),
    ("red", "rouge", "rouge"),
    ("heavy", "lourd", "lourde"),
];

/// All sentences of the grammar, the shortest first.
pub(super) fn invent() -> Vec<SentencePair> {
    let mut pairs = Vec::new();
    for subject in &SUBJECTS {
        for verb in &VERBS {
            for (noun, other) in object_phrases() {
                pairs.push(statement(subject, verb, &noun, &other));
                pairs.push(denial(subject, verb, &noun, &other));
            }
        }
    }
    pairs.sort_by_key(|[english, _]| english.len());
    pairs
}

/// An article, perhaps an adjective, and a noun, in both languages.
fn object_phrases() -> Vec<(String, String)> {
    let mut phrases = Vec::new();
    for &(article, masculine, feminine) in &ARTICLES {
        for &(noun, nom, is_feminine) in &NOUNS {
            let le = if is_feminine { feminine } else { masculine };
            phrases.push((format!("{article} {noun}"), format!("{le} {nom}")));
            for &(adjective, masculine, feminine) in &ADJECTIVES {
                let noir = if is_feminine { feminine } else { masculine };
                phrases.push((
                    format!("{article} {adjective} {noun}"),
                    format!("{le} {nom} {noir}"),
                ));
            }
        }
    }
    phrases
}

type Subject = (&'static str, &'static str, usize);
type Verb = (&'static str, &'static str, [&'static str; 5]);

fn statement(
    &(subject, sujet, form): &Subject,
    &(verb, third_person, forms): &Verb,
    object: &str,
    objet: &str,
) -> SentencePair {
    let verb = if form == 2 { third_person } else { verb };
    let french = join(sujet, forms[form]);
    sentence(
        format!("{subject} {verb} {object}."),
        format!("{french} {objet}."),
    )
}

fn denial(
    &(subject, sujet, form): &Subject,
    &(verb, _, forms): &Verb,
    object: &str,
    objet: &str,
) -> SentencePair {
    let not = if form == 2 { "doesn't" } else { "don't" };
    let ne = join("ne", forms[form]);
    sentence(
        format!("{subject} {not} {verb} {object}."),
        format!("{sujet} {ne} pas {objet}."),
    )
}

/// "je" and "ne" lose their vowel before another one.
fn join(word: &str, verb: &str) -> String {
    let before_vowel = verb.starts_with(['a', 'e', 'i', 'o', 'u']);
    match word {
        "je" if before_vowel => format!("j'{verb}"),
        "ne" if before_vowel => format!("n'{verb}"),
        _ => format!("{word} {verb}"),
    }
}

fn sentence(english: String, french: String) -> SentencePair {
    [english, french].map(|text| {
        let mut letters = text.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string());
        first.unwrap_or_default() + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn sentences_are_right_and_each_occurs_once() {
        let pairs = invent();
        assert_eq!(pairs.len(), 8 * 8 * 4 * 12 * 7 * 2);
        let different: HashSet<&SentencePair> = pairs.iter().collect();
        assert_eq!(different.len(), pairs.len());
        for (english, french) in [
            ("I see the black cat.", "Je vois le chat noir."),
            ("She likes a white house.", "Elle aime une maison blanche."),
            ("I like my dog.", "J'aime mon chien."),
            ("Tom doesn't buy the key.", "Tom n'achète pas la clé."),
            (
                "We don't look for this hat.",
                "Nous ne cherchons pas ce chapeau.",
            ),
        ] {
            let pair = [english.to_string(), french.to_string()];
            assert!(different.contains(&pair), "{pair:?}");
        }
    }
}
