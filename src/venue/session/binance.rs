//! What is asked of Binance, and where.

use super::Trust;
use crate::binance::Market;

/// A stream of messages that a user names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeedKind {
    Trade,
    Depth,
    Quote,
    Mark,
}

/// Where a market answers. `ws` is the root, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    pub rest: String,
    pub ws: String,
}

impl Endpoints {
    /// The real ones.
    pub fn of(market: Market) -> Self {
        let (rest, ws) = match market {
            Market::Spot => ("https://api.binance.com", "wss://stream.binance.com:9443"),
            Market::UsdM => ("https://fapi.binance.com", "wss://fstream.binance.com"),
            Market::CoinM => ("https://dapi.binance.com", "wss://dstream.binance.com"),
        };
        Self { rest: rest.to_owned(), ws: ws.to_owned() }
    }
}

/// What to listen to.
#[derive(Clone, Debug)]
pub struct Feed {
    pub market: Market,
    /// Names at the venue, such as `BTCUSDT`.
    pub symbols: Vec<String>,
    pub kinds: Vec<FeedKind>,
    pub endpoints: Endpoints,
    pub trust: Trust,
}

/// Streams of one connection; the venue takes more, its clients have learned not to.
const STREAMS_MAX: usize = 200;

/// One connection: its address, and the instruments whose books it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) url: String,
    pub(super) books: Vec<String>,
    pub(super) symbols: Vec<String>,
}

impl Feed {
    /// The connections that carry all streams.
    pub(super) fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for (road, kinds) in self.roads() {
            let per_symbol = kinds.len().max(1);
            if kinds.is_empty() {
                continue;
            }
            for symbols in self.symbols.chunks((STREAMS_MAX / per_symbol).max(1)) {
                let streams: Vec<String> = symbols
                    .iter()
                    .flat_map(|symbol| kinds.iter().map(|kind| self.stream(symbol, *kind)))
                    .collect();
                let has_books = kinds.contains(&FeedKind::Depth);
                let unit = if self.market == Market::Spot { "&timeUnit=MICROSECOND" } else { "" };
                let ws = self.endpoints.ws.trim_end_matches('/');
                lines.push(Line {
                    url: format!("{ws}{road}/stream?streams={}{unit}", streams.join("/")),
                    books: if has_books { symbols.to_vec() } else { Vec::new() },
                    symbols: symbols.to_vec(),
                });
            }
        }
        lines
    }

    /// Futures carry books on one road and the rest on another.
    fn roads(&self) -> Vec<(&'static str, Vec<FeedKind>)> {
        match self.market {
            Market::Spot | Market::CoinM => vec![("", self.kinds.clone())],
            Market::UsdM => {
                let is_book = |kind: &FeedKind| matches!(kind, FeedKind::Depth | FeedKind::Quote);
                let (books, rest) = self.kinds.iter().copied().partition(is_book);
                vec![("/public", books), ("/market", rest)]
            }
        }
    }

    fn stream(&self, symbol: &str, kind: FeedKind) -> String {
        let symbol = symbol.to_lowercase();
        match (kind, self.market) {
            (FeedKind::Trade, Market::Spot) => format!("{symbol}@trade"),
            (FeedKind::Trade, Market::UsdM | Market::CoinM) => format!("{symbol}@aggTrade"),
            (FeedKind::Depth, _) => format!("{symbol}@depth@100ms"),
            (FeedKind::Quote, _) => format!("{symbol}@bookTicker"),
            (FeedKind::Mark, _) => format!("{symbol}@markPrice@1s"),
        }
    }

    fn api(&self) -> String {
        let path = match self.market {
            Market::Spot => "/api/v3",
            Market::UsdM => "/fapi/v1",
            Market::CoinM => "/dapi/v1",
        };
        format!("{}{path}", self.endpoints.rest.trim_end_matches('/'))
    }

    /// The address of the instruments, and what asking costs.
    pub(super) fn instruments_url(&self) -> (String, u64) {
        let api = self.api();
        if self.market != Market::Spot {
            return (format!("{api}/exchangeInfo"), 1);
        }
        let names: Vec<String> = self.symbols.iter().map(|name| format!("%22{name}%22")).collect();
        (format!("{api}/exchangeInfo?symbols=%5B{}%5D", names.join(",")), 20)
    }

    /// The address of a book, and what asking costs.
    pub(super) fn book_url(&self, symbol: &str) -> (String, u64) {
        let (limit, weight) = if self.market == Market::Spot { (5_000, 250) } else { (1_000, 20) };
        (format!("{}/depth?symbol={symbol}&limit={limit}", self.api()), weight)
    }

    /// Weight that may be used in a minute, with some left for others.
    pub(super) fn weight_max(&self) -> u64 {
        if self.market == Market::Spot { 4_800 } else { 1_900 }
    }

    /// How long a connection may be silent: longer than the venue's pings are apart.
    pub(super) fn silent_seconds_max(&self) -> u64 {
        if self.market == Market::Spot { 60 } else { 400 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(market: Market, kinds: &[FeedKind]) -> Feed {
        Feed {
            market,
            symbols: vec!["BTCUSDT".to_owned(), "ETHUSDT".to_owned()],
            kinds: kinds.to_vec(),
            endpoints: Endpoints { rest: "http://r/".to_owned(), ws: "ws://w/".to_owned() },
            trust: Trust::public().unwrap(),
        }
    }

    #[test]
    fn spot_has_one_road_and_futures_two() {
        let kinds = [FeedKind::Trade, FeedKind::Depth];
        let urls = |market| {
            feed(market, &kinds).lines().into_iter().map(|line| line.url).collect::<Vec<_>>()
        };
        assert_eq!(
            urls(Market::Spot),
            ["ws://w/stream?streams=btcusdt@trade/btcusdt@depth@100ms/ethusdt@trade/\
              ethusdt@depth@100ms&timeUnit=MICROSECOND"]
        );
        assert_eq!(
            urls(Market::UsdM),
            [
                "ws://w/public/stream?streams=btcusdt@depth@100ms/ethusdt@depth@100ms",
                "ws://w/market/stream?streams=btcusdt@aggTrade/ethusdt@aggTrade"
            ]
        );
        assert_eq!(feed(Market::UsdM, &[FeedKind::Trade]).lines().len(), 1);
    }

    #[test]
    fn many_instruments_take_several_connections() {
        let mut feed = feed(Market::Spot, &[FeedKind::Trade, FeedKind::Quote]);
        feed.symbols = (0..250).map(|at| format!("S{at}")).collect();
        let lines = feed.lines();
        assert_eq!(lines.iter().map(|line| line.symbols.len()).collect::<Vec<_>>(), [100, 100, 50]);
        assert!(lines[0].books.is_empty());
    }

    #[test]
    fn requests_name_their_instruments() {
        let feed = feed(Market::Spot, &[]);
        assert_eq!(
            feed.instruments_url().0,
            "http://r/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D"
        );
        assert_eq!(feed.book_url("X").0, "http://r/api/v3/depth?symbol=X&limit=5000");
    }
}
