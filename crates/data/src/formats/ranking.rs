//! Rankings as people write them, with ties, as choices that invent no preference.

use crate::comparison::Choice;

/// The choice that candidates in tiers stand for, the best tier first. A ranking goes as far down as it
/// has one candidate a tier; from the first tie on, those below are left out, in no order. A tie at the
/// top is a choice of several, and one of all candidates is a tie.
pub(super) fn of_tiers(tiers: &[Vec<usize>]) -> Choice {
    match tiers {
        [] => Choice::None,
        [all] if all.len() > 1 => Choice::Tie,
        [top, ..] if top.len() > 1 => Choice::Several(top.clone()),
        _ => {
            let order: Vec<usize> =
                tiers.iter().take_while(|tier| tier.len() == 1).map(|tier| tier[0]).collect();
            match order.as_slice() {
                [best] => Choice::One(*best),
                _ => Choice::Ranking(order),
            }
        }
    }
}

/// The choice that ranks stand for, 1 the best; candidates without a rank are left out.
pub(super) fn of_ranks(ranks: &[Option<f64>]) -> Choice {
    let mut ranked: Vec<(f64, usize)> =
        ranks.iter().enumerate().filter_map(|(i, rank)| Some(((*rank)?, i))).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tiers = ranked.chunk_by(|a, b| a.0 == b.0);
    of_tiers(&tiers.map(|tier| tier.iter().map(|(_, i)| *i).collect()).collect::<Vec<_>>())
}

/// The tiers of a ranking such as `B>A>C=D`, by what `position` knows of names.
///
/// # Errors
/// The first name that is unknown or stands there twice.
pub(super) fn tiers(
    text: &str,
    position: impl Fn(&str) -> Option<usize>,
) -> Result<Vec<Vec<usize>>, &str> {
    let mut tiers: Vec<Vec<usize>> = Vec::new();
    for tier in text.split('>') {
        let mut positions = Vec::new();
        for name in tier.split(['=', '~']).map(str::trim).filter(|name| !name.is_empty()) {
            let found = position(name).ok_or(name)?;
            if positions.contains(&found) || tiers.iter().any(|tier| tier.contains(&found)) {
                return Err(name);
            }
            positions.push(found);
        }
        if !positions.is_empty() {
            tiers.push(positions);
        }
    }
    Ok(tiers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_invent_no_preference() {
        fn check(text: &str, expected: Result<Choice, &str>) {
            let position = |name: &str| "ABCD".find(name);
            let read = tiers(text, position).map(|tiers| of_tiers(&tiers));
            assert_eq!(read, expected, "{text}");
        }
        check("B>A>C>D", Ok(Choice::Ranking(vec![1, 0, 2, 3])));
        check("B > A > C=D", Ok(Choice::Ranking(vec![1, 0])));
        check("B>A=C=D", Ok(Choice::One(1)));
        check("A=B>C>D", Ok(Choice::Several(vec![0, 1])));
        check("A=B=C=D", Ok(Choice::Tie));
        check("D", Ok(Choice::One(3)));
        check("", Ok(Choice::None));
        check("A>E", Err("E"));
        check("A>B>A", Err("A"));
    }

    #[test]
    fn ranks_are_read_from_the_best() {
        let ranks =
            |ranks: &[f64]| ranks.iter().map(|r| (*r > 0.0).then_some(*r)).collect::<Vec<_>>();
        assert_eq!(of_ranks(&ranks(&[3.0, 1.0, 2.0])), Choice::Ranking(vec![1, 2, 0]));
        assert_eq!(of_ranks(&ranks(&[2.0, 1.0, 2.0])), Choice::One(1));
        assert_eq!(of_ranks(&ranks(&[0.0, 1.0, 2.0])), Choice::Ranking(vec![1, 2]));
        assert_eq!(of_ranks(&ranks(&[0.0, 0.0])), Choice::None);
    }
}
