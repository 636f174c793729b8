//! Marks in the place of what looks like personal data: what the linter reports is what is replaced.

use crate::lint::{PersonalKind, scan_personal};
use std::borrow::Cow;

/// Kinds, their names in reports, and what stands in their place.
pub(super) const KINDS: [(PersonalKind, &str, &str); 6] = [
    (PersonalKind::Mail, "mail", "[mail]"),
    (PersonalKind::Phone, "phone", "[phone]"),
    (PersonalKind::Card, "card", "[card]"),
    (PersonalKind::Iban, "iban", "[iban]"),
    (PersonalKind::Ip, "ip", "[ip]"),
    (PersonalKind::Address, "address", "[address]"),
];

/// How often each kind was replaced, in the order of [`KINDS`].
pub(super) type PersonalCounts = [u64; KINDS.len()];

/// A text with marks in the place of what was found.
pub(super) fn scrub<'t>(text: &'t str, counts: &mut PersonalCounts) -> Cow<'t, str> {
    let mut places: Vec<(usize, usize, usize)> = Vec::new();
    scan_personal(text, &mut |kind, value| {
        let start = value.as_ptr() as usize - text.as_ptr() as usize;
        let i = KINDS.iter().position(|(known, ..)| *known == kind);
        places.push((start, start + value.len(), i.expect("all kinds are there")));
    });
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    places.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (start, stop, kind) in places {
        // A number within a mail address is gone with it.
        if start < end {
            end = end.max(stop);
            continue;
        }
        // What belongs to a phone number stands before its first digit.
        let before = text[end..start].trim_end_matches(['+', '(']);
        let phone = KINDS[kind].0 == PersonalKind::Phone;
        out.push_str(if phone { before } else { &text[end..start] });
        out.push_str(KINDS[kind].2);
        counts[kind] += 1;
        end = stop;
    }
    out.push_str(&text[end..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_personal_data_is_replaced() {
        fn check(text: &str, expected: &str) {
            let mut counts = PersonalCounts::default();
            assert_eq!(scrub(text, &mut counts), expected);
            assert_eq!(counts.iter().sum::<u64>() > 0, text != expected, "{text}");
        }
        check("Write to ana.lee+x@mail.uni.br.", "Write to [mail].");
        check("ana.98765@mail.uni.br, 5425 2334 3010 9903", "[mail], [card]");
        check("card 5425 2334 3010 9904", "card 5425 2334 3010 9904");
        check("IBAN DE89 3704 0044 0532 0130 00, paid", "IBAN [iban], paid");
        check("Call +39 06 6982 1234 or (212) 736-5000 now", "Call [phone] or [phone] now");
        check(
            "from 192.168.0.1, 3.14159265358979, in 1999 and 2001",
            "from 192.168.0.1, 3.14159265358979, in 1999 and 2001",
        );
    }

    #[test]
    fn text_without_any_is_not_copied() {
        let mut counts = PersonalCounts::default();
        assert!(matches!(scrub("nothing to see in 12345", &mut counts), Cow::Borrowed(_)));
    }
}
