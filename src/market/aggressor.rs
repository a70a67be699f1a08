//! Who was the aggressor of a trade, and how sure that is.

use qt_model::units::Px;
use qt_model::words::Side;

/// Remembers what a classification needs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Classifier {
    /// Best bid and ask in force.
    quote: Option<(Px, Px)>,
    last: Option<Px>,
    /// The direction of the last move from one price to another.
    moved: i8,
}

/// A direction (1 bought, −1 sold, 0 unknown) and how sure it is, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aggressor {
    pub(crate) direction: i8,
    pub(crate) confidence: u16,
}

const fn sure(direction: i8, confidence: u16) -> Aggressor {
    Aggressor { direction, confidence }
}

impl Classifier {
    pub(crate) fn quote(&mut self, bid: Px, ask: Px) {
        self.quote = Some((bid, ask));
    }

    /// Classifies a trade, and remembers its price.
    pub(crate) fn trade(&mut self, px: Px, side: Option<Side>) -> Aggressor {
        if let Some(last) = self.last.replace(px).filter(|last| *last != px) {
            self.moved = if px > last { 1 } else { -1 };
        }
        match (side, self.quote) {
            (Some(Side::Buy), _) => sure(1, 1000),
            (Some(Side::Sell), _) => sure(-1, 1000),
            (None, Some((_, ask))) if px >= ask => sure(1, 1000),
            (None, Some((bid, _))) if px <= bid => sure(-1, 1000),
            (None, Some((bid, ask))) => {
                let twice = i128::from(px.mantissa()) * 2;
                let middle = i128::from(bid.mantissa()) + i128::from(ask.mantissa());
                match twice.cmp(&middle) {
                    std::cmp::Ordering::Greater => sure(1, 800),
                    std::cmp::Ordering::Less => sure(-1, 800),
                    std::cmp::Ordering::Equal => self.by_move(),
                }
            }
            (None, None) => self.by_move(),
        }
    }

    fn by_move(&self) -> Aggressor {
        sure(self.moved, if self.moved == 0 { 0 } else { 500 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_venue_then_the_quote_then_the_last_move_decides() {
        let mut classifier = Classifier::default();
        let mut of = |px: i64, side| {
            let found = classifier.trade(Px::new(px), side);
            (found.direction, found.confidence)
        };
        assert_eq!(of(100, None), (0, 0));
        assert_eq!(of(101, None), (1, 500));
        assert_eq!(of(101, None), (1, 500), "against the last price that differs");
        assert_eq!(of(99, Some(Side::Buy)), (1, 1000));
        classifier.quote(Px::new(90), Px::new(100));
        let mut of = |px: i64| {
            let found = classifier.trade(Px::new(px), None);
            (found.direction, found.confidence)
        };
        assert_eq!(
            [of(100), of(105), of(90), of(80)],
            [(1, 1000), (1, 1000), (-1, 1000), (-1, 1000)]
        );
        assert_eq!([of(96), of(94), of(95)], [(1, 800), (-1, 800), (1, 500)]);
    }
}
