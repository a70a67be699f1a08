//! Where a store is, and as whom to enter.

use std::fmt;

/// A database of a server: `http://host:8123/db`, or `clickhouse://host:8123/db`, which is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    scheme: &'static str,
    host: String,
    port: u16,
    pub user: Option<String>,
    pub database: String,
}

/// As whom to enter. The password cannot be printed.
#[derive(Clone, Default)]
pub struct Credentials {
    pub user: Option<String>,
    pub password: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Schemes, whether they are encrypted, and their usual ports.
const SCHEMES: [(&str, &str, u16); 4] = [
    ("http", "http", 8123),
    ("https", "https", 8443),
    ("clickhouse", "http", 8123),
    ("clickhouses", "https", 8443),
];

impl Address {
    /// Whether a text wants to be the address of a store rather than the name of a file.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("clickhouse:") || text.starts_with("clickhouses:")
    }

    /// Reads `scheme://[user@]host[:port]/database`. What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shape = "expected http://host:8123/database";
        let (scheme, rest) = text.split_once("://").ok_or_else(|| shape.to_owned())?;
        let known = SCHEMES.iter().find(|(name, ..)| *name == scheme);
        let (_, scheme, usual) =
            known.ok_or_else(|| format!("no scheme `{scheme}`; {shape}, or https"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            let message = "a password does not belong into an address; QT_CLICKHOUSE_PASSWORD or \
                           a file named by QT_CLICKHOUSE_PASSWORD_FILE holds it";
            return Err(message.to_owned());
        }
        let (host, port) = split_port(place, *usual).ok_or_else(|| shape.to_owned())?;
        let database = path.trim_end_matches('/');
        if database.is_empty() {
            return Err(format!("it names no database; {shape}"));
        }
        if database == "default" {
            return Err("`default` is everybody's; name a database of its own".to_owned());
        }
        if !is_name(database) {
            return Err(format!("`{database}`: a database has a name of letters, digits and `_`"));
        }
        let user = user.filter(|user| !user.is_empty()).map(str::to_owned);
        Ok(Self { scheme, host: host.to_owned(), port, user, database: database.to_owned() })
    }

    /// The server, as requests are sent to it.
    pub(crate) fn server(&self) -> String {
        format!("{}://{}:{}", self.scheme, self.host, self.port)
    }
}

/// The address without the user, so that it can stand in messages.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}/{}", self.scheme, self.host, self.port, self.database)
    }
}

fn split_port(place: &str, usual: u16) -> Option<(&str, u16)> {
    // An address of version 6 stands in brackets, with colons of its own.
    let after = place.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match place[after..].split_once(':') {
        Some((_, port)) => (&place[..place.len() - port.len() - 1], port.parse().ok()?),
        None => (place, usual),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_[]:".contains(c);
    (!host.is_empty() && host.chars().all(is_plain)).then_some((host, port))
}

fn is_name(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_server_and_a_database() {
        let check = |text, expected: &str| {
            assert_eq!(Address::parse(text).unwrap().to_string(), expected, "{text}");
        };
        check("http://localhost:8123/qt", "http://localhost:8123/qt");
        check("clickhouse://localhost/qt", "http://localhost:8123/qt");
        check("clickhouses://db.example.com/qt/", "https://db.example.com:8443/qt");
        check("https://reader@db:9443/market_1", "https://db:9443/market_1");
        check("http://[::1]:8123/qt", "http://[::1]:8123/qt");
        let reader = Address::parse("https://reader@db/q").unwrap();
        assert_eq!(reader.user.as_deref(), Some("reader"));
    }

    #[test]
    fn what_is_no_address_is_told_why() {
        let check = |text, part: &str| {
            let message = Address::parse(text).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        };
        check("localhost:8123/qt", "expected http://");
        check("tcp://localhost:9000/qt", "no scheme `tcp`");
        check("http://localhost:8123", "names no database");
        check("http://localhost:8123/", "names no database");
        check("http://localhost:8123/default", "database of its own");
        check("http://localhost:8123/a;b", "letters, digits");
        check("http://localhost:port/qt", "expected http://");
        check("http:///qt", "expected http://");
        check("http://me:secret@localhost/qt", "QT_CLICKHOUSE_PASSWORD");
    }

    #[test]
    fn a_password_is_not_shown() {
        let password = Some("hunter2".to_owned());
        let shown = format!("{:?}", Credentials { user: Some("me".to_owned()), password });
        assert!(shown.contains("me") && !shown.contains("hunter2"), "{shown}");
    }
}
