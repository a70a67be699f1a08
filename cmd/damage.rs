//! Texts with something wrong in them, for tests of what reads texts: nothing may panic, whatever a
//! user wrote or half saved.

/// The text cut at places, with lines left out or said twice, and with single characters replaced by
/// those that mean something to TOML, JSON and expressions.
pub(crate) fn damaged(text: &str, stride: usize) -> impl Iterator<Item = String> {
    let places = || text.char_indices().map(|(at, _)| at).step_by(stride);
    let cut = places().map(|at| text[..at].to_owned());
    let lines: Vec<&str> = text.lines().collect();
    let count = lines.len();
    let join = |lines: &[&str]| lines.join("\n");
    let without = {
        let lines = lines.clone();
        (0..count).map(move |at| join(&[&lines[..at], &lines[at + 1..]].concat()))
    };
    let twice = (0..count).map(move |at| join(&[&lines[..=at], &lines[at..]].concat()));
    let signs = ['"', '[', '}', '=', '-', '0', '9', '.', '(', '\\', '\u{0}', 'é', ',', '\n'];
    let bent = places().zip(signs.into_iter().cycle()).map(|(at, sign)| {
        let mut rest = text[at..].chars();
        rest.next();
        [&text[..at], sign.to_string().as_str(), rest.as_str()].concat()
    });
    cut.chain(without).chain(twice).chain(bent).collect::<Vec<_>>().into_iter()
}
