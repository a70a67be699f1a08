//! `${NAME}` and `${NAME:-default}` in the strings of a configuration file.
//!
//! As in a shell, the default also stands in for an empty variable. `$${` is a literal `${`; a `$`
//! before anything else is itself. Absent on purpose: nesting, and any other shell expansion.

/// The text with its variables replaced, or what is wrong with it.
pub(super) fn substitute(
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(escaped) = before.strip_suffix('$') {
            done.push_str(escaped);
            done.push_str("${");
            rest = &from[2..];
            continue;
        }
        done.push_str(before);
        let end = from.find('}').ok_or("expected `}` after `${`, found the end of the string")?;
        done.push_str(&expand(&from[2..end], &variable)?);
        rest = &from[end + 1..];
    }
    done.push_str(rest);
    Ok(done)
}

fn expand(inside: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if !starts_well || !name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_') {
        return Err(format!("expected the name of a variable in `${{{inside}}}`"));
    }
    match (variable(name), default) {
        (Some(value), _) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (Some(empty), None) => Ok(empty),
        (None, None) => {
            Err(format!("environment variable {name} is not set; `${{{name}:-…}}` gives a default"))
        }
    }
}
