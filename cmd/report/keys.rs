//! What the colours of a picture stand for.

use super::data::Data;

/// A colour, by the class that pictures use, and its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) class: String,
    pub(super) is_line: bool,
    pub(super) name: String,
}

fn line(class: &str, name: &str) -> Key {
    Key { class: class.to_owned(), is_line: true, name: name.to_owned() }
}

fn patch(class: &str, name: &str) -> Key {
    Key { is_line: false, ..line(class, name) }
}

/// The main model, and the others that the band lies between.
pub(super) fn equity(data: &Data) -> Vec<Key> {
    let mut names = data.lanes.iter().map(|(name, _)| name.as_str());
    let Some(main) = names.next() else { return Vec::new() };
    let others: Vec<&str> = names.collect();
    let mut keys = vec![line("line", main)];
    if !others.is_empty() {
        keys.push(line("thin", &others.join(", ")));
        keys.push(patch("shade", "between the lowest and the highest"));
    }
    keys
}

pub(super) fn fills() -> Vec<Key> {
    vec![patch("gain", "bought"), patch("loss", "sold"), line("thin", "the mid before each fill")]
}

pub(super) fn markouts(data: &Data) -> Vec<Key> {
    series(data.markouts.iter().map(|group| group.name))
}

pub(super) fn by_queue(data: &Data) -> Vec<Key> {
    series(data.horizons.iter().map(String::as_str))
}

/// The lines of a picture, in the order in which colours are given out.
fn series<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Key> {
    let key = |(at, name): (usize, &str)| line(&format!("series g{}", at % 5), name);
    names.enumerate().map(key).collect()
}

pub(super) fn latency() -> Vec<Key> {
    vec![patch("held", "new orders on their way"), patch("gain", "reports on their way back")]
}

pub(super) fn excursions() -> Vec<Key> {
    vec![patch("gain", "won"), patch("loss", "lost")]
}

pub(super) fn returns() -> Vec<Key> {
    vec![patch("gain", "gains"), patch("loss", "losses"), patch("even", "about nothing")]
}

#[cfg(test)]
mod tests {
    use super::super::html::PICTURES;
    use super::*;

    #[test]
    fn every_key_has_the_colour_of_its_picture() {
        let names = ["one", "two", "three", "four", "five", "six"];
        let lines = series(names.into_iter());
        assert_eq!(lines[1], line("series g1", "two"));
        assert_eq!(lines[5].class, lines[0].class, "colours come round");
        for key in [fills(), latency(), excursions(), returns(), lines].concat() {
            for class in key.class.split(' ') {
                assert!(PICTURES.contains(&format!(".{class} {{")), "{class}");
            }
        }
    }
}
