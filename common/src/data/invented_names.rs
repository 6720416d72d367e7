//! What stands in for the surnames: words put together from syllables that sound like each language.

use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::names::{Name, spell};

/// For the report.
pub(super) const ORIGIN: &str = "20,050 invented names, built in";

/// How the names of a language are built: first syllable, none to two from the middle, last syllable.
struct Sound {
    /// As many names as the real set has.
    count: usize,
    first: &'static str,
    middle: &'static str,
    last: &'static str,
}

const fn sound(
    count: usize,
    first: &'static str,
    middle: &'static str,
    last: &'static str,
) -> Sound {
    Sound {
        count,
        first,
        middle,
        last,
    }
}

/// In the order of [`LANGUAGES`](super::LANGUAGES).
const SOUNDS: [Sound; 18] = [
    sound(
        2000,
        "ab na ha sa kha as ma qa ta ghan nah ba",
        "ra la da i ma ha za",
        "oum har ouri dad awi bah if is ur ad",
    ),
    sound(
        268,
        "zh x ch sh w l q y h g t z",
        "i u a o e",
        "ang ou ai en ong ao in un",
    ),
    sound(
        519,
        "kr b dv h vl p s st j m k z",
        "ose adl olu ech ova uba ani",
        "ek ka cek ik ova sky ny il ak",
    ),
    sound(
        297,
        "van ro kle ver des haa oo me k re",
        "den ij aa oe ter ee",
        "berg mans man veld kamp ens horst sen aar",
    ),
    sound(
        3668,
        "har wh st br ash wood ch be c la t f hal m d ro",
        "er i en ing le or a el",
        "ton ley ford well ham ings by worth wood er son man",
    ),
    sound(
        277,
        "beau lef du cha de la mon pel ro gir",
        "re ti che van gou le",
        "eau ault ier eux ois elle et ard on",
    ),
    sound(
        724,
        "sch st kr h w br kl m b f eb gr",
        "ei au er ie o a u",
        "mann berg stein er bach hart feld ner inger ling tz",
    ),
    sound(
        203,
        "pap kal the kou geo sp dia v an",
        "a o i e adi ari olo",
        "opoulos akis idis atos ellis oglou as akos",
    ),
    sound(
        232,
        "o' mac ke ma do fl br ru",
        "ll nn o ea i ha ga",
        "gan ghan ley igh onnor han elly rty",
    ),
    sound(
        709,
        "bar ros cal mon de vi ga pa sal fer ma",
        "ti to li ne ra sse cca nci",
        "elli ini etti ucci ano one aro ese otti i",
    ),
    sound(
        991,
        "ta ya ma ki sa ha shi ka na mo tsu fu",
        "ka ma shi ra ga ta ku no",
        "moto da mura saki gawa shima ki hara ta",
    ),
    sound(94, "k p ch b s j h y", "i a u o ye", "ng n on m ok wan eon"),
    sound(
        139,
        "kow wis zie woj sz mar pie gra",
        "al no i je ce u",
        "ski czyk ewski wicz cki niak arz",
    ),
    sound(
        74,
        "al fer mo pe sil car nu",
        "ve ra i te ri",
        "eira ares inho ques ao edo",
    ),
    sound(
        9384,
        "b v z k m p r s t d gr kh sh l g n yak ak iv ale",
        "a o u e i ol er yn ik ush an el ar",
        "ov ev in sky ko ukhin enko yan yuk chuk anov alov",
    ),
    sound(
        100,
        "mac gr st ca dun mur fer ross",
        "ay ew a i o",
        "son ray ald art bell gus ie",
    ),
    sound(
        298,
        "gar ro her sa mar fer es lo al",
        "ci dri nan che te ri va",
        "ez ia es ero ido al os illa",
    ),
    sound(
        73,
        "ng tr ph v l d h th",
        "uy ie a o u",
        "en an ong oc em anh inh",
    ),
];

/// The same names each time.
pub(super) fn invent() -> Vec<Name> {
    let mut names = Vec::new();
    for (language, sound) in SOUNDS.iter().enumerate() {
        let mut rng = ChaCha8Rng::seed_from_u64(language as u64);
        let [first, middle, last] =
            [sound.first, sound.middle, sound.last].map(|list| list.split(' ').collect::<Vec<_>>());
        let mut pick = |list: &[&'static str]| list.choose(&mut rng).copied().unwrap_or_default();
        for _ in 0..sound.count {
            let mut name = pick(&first).to_string();
            let length = pick(&["", "m", "m", "mm"]).len();
            for _ in 0..length {
                name += pick(&middle);
            }
            name += pick(&last);
            names.push((spell(&name).ids, language as u8));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::LANGUAGES;

    #[test]
    fn invented_names_are_spelled_and_always_the_same() {
        let names = invent();
        assert_eq!(names.len(), 20_050);
        assert!(names.iter().all(|(ids, _)| (2..20).contains(&ids.len())));
        assert_eq!(names, invent());
        for language in 0..LANGUAGES.len() {
            let of_it = names.iter().filter(|(_, l)| usize::from(*l) == language);
            assert_eq!(
                of_it.count(),
                SOUNDS[language].count,
                "{}",
                LANGUAGES[language]
            );
        }
        let Sound {
            first,
            middle,
            last,
            ..
        } = &SOUNDS[0];
        assert!(
            [first, middle, last]
                .iter()
                .all(|list| spell(list).left_out.is_empty())
        );
    }
}
