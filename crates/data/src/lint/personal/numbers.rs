//! Numbers that look like somebody's: phones, cards, accounts, machines. Runs of digits are looked for a chunk at a time.

use super::PersonalKind;
use super::streets;
use std::net::Ipv4Addr;

/// Bytes that are looked at together.
const CHUNK: usize = 32;
/// Groups of digits of one number; a longer list of them is no number of these.
const MOST_GROUPS: usize = 8;

/// Digits, with the marks between them.
struct Number<'t> {
    text: &'t str,
    /// Where each group of digits begins and ends.
    groups: [(usize, usize); MOST_GROUPS],
    n_groups: usize,
    /// Whether there were more.
    is_long: bool,
}

/// Hands on the numbers of a text that look like somebody's.
pub(super) fn scan(text: &str, found: &mut dyn FnMut(PersonalKind, &str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(start) = next_digit(bytes, at) {
        let number = Number::at(text, start);
        at = number.end();
        let is_in_word = start > 0 && is_word(bytes[start - 1]);
        if is_in_word {
            if let Some(end) = iban(bytes, start) {
                at = at.max(end);
                found(PersonalKind::Iban, &text[start - 2..end]);
            }
            continue;
        }
        if bytes.get(at).copied().is_some_and(is_word) && number.n_groups > 1 {
            continue;
        }
        if let Some(kind) = number.kind() {
            found(kind, &text[start..at]);
        } else if let Some((from, to)) =
            streets::around(text, number.groups[0], number.groups[number.n_groups - 1])
        {
            found(PersonalKind::Address, &text[from..to]);
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    let is_digit = |b: &u8| b.wrapping_sub(b'0') < 10;
    let mut at = from;
    while let Some(chunk) = bytes.get(at..at + CHUNK) {
        if chunk.iter().fold(false, |any, b| any | is_digit(b)) {
            break;
        }
        at += CHUNK;
    }
    bytes.get(at..)?.iter().position(is_digit).map(|i| at + i)
}

impl<'t> Number<'t> {
    /// The number whose first digit is at `start`: groups of digits with one mark, or a bracket and a space, between them.
    fn at(text: &'t str, start: usize) -> Self {
        let bytes = text.as_bytes();
        let mut number = Self { text, groups: [(0, 0); MOST_GROUPS], n_groups: 0, is_long: false };
        let mut from = start;
        loop {
            let to = from + bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
            if number.n_groups == MOST_GROUPS {
                number.is_long = true;
                number.groups[MOST_GROUPS - 1].1 = to;
            } else {
                number.groups[number.n_groups] = (from, to);
                number.n_groups += 1;
            }
            let n_marks = match bytes[to..] {
                [b' ' | b'.' | b'-' | b'/' | b')', b'0'..=b'9', ..] => 1,
                [b')', b' ' | b'-', b'0'..=b'9', ..] | [b' ', b'(', b'0'..=b'9', ..] => 2,
                _ => return number,
            };
            from = to + n_marks;
        }
    }

    fn groups(&self) -> &[(usize, usize)] {
        &self.groups[..self.n_groups]
    }

    fn end(&self) -> usize {
        self.groups[self.n_groups - 1].1
    }

    fn lengths(&self) -> Vec<usize> {
        self.groups().iter().map(|(from, to)| to - from).collect()
    }

    /// Whether one of these marks, always the same, stands between all groups.
    fn has_marks(&self, marks: &[u8]) -> bool {
        let bytes = self.text.as_bytes();
        let between = self.groups().windows(2).map(|pair| &bytes[pair[0].1..pair[1].0]);
        let mut first = None;
        between.into_iter().all(|mark| {
            mark.len() == 1 && marks.contains(&mark[0]) && *first.get_or_insert(mark[0]) == mark[0]
        })
    }

    /// What stands before the number.
    fn before(&self) -> &[u8] {
        &self.text.as_bytes()[..self.groups[0].0]
    }

    fn kind(&self) -> Option<PersonalKind> {
        let n_digits = self.lengths().iter().sum::<usize>();
        if self.is_long || n_digits < 4 {
            return None;
        }
        if self.n_groups == 4 && self.has_marks(b".") {
            return self.is_ip().then_some(PersonalKind::Ip);
        }
        if !(8..=19).contains(&n_digits) {
            return None;
        }
        if self.is_card() {
            return Some(PersonalKind::Card);
        }
        self.is_phone(n_digits).then_some(PersonalKind::Phone)
    }

    fn is_ip(&self) -> bool {
        let address = &self.text[self.groups[0].0..self.end()];
        let Ok(address) = address.parse::<Ipv4Addr>() else {
            return false;
        };
        let [first, second, third, _] = address.octets();
        // Numbers of versions look like 1.2.3.4.
        let is_version = address.octets().iter().all(|octet| *octet < 20);
        let is_resolver = first == second && second == third;
        let is_special = address.is_private()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_documentation()
            || address.is_multicast()
            || first == 0
            || first >= 240;
        !(is_version || is_resolver || is_special)
    }

    fn is_card(&self) -> bool {
        let lengths = self.lengths();
        let is_grouped = match *lengths.as_slice() {
            [n] => (13..=19).contains(&n),
            [4, 4, 4, last] => last <= 4,
            [4, 4, 4, 4, last] => last <= 3,
            [4, 6, 5] | [4, 6, 4] => true,
            _ => false,
        };
        if !is_grouped || !self.has_marks(b" -") {
            return false;
        }
        let digits: Vec<u32> = self
            .groups()
            .iter()
            .flat_map(|(from, to)| self.text[*from..*to].bytes())
            .map(|b| u32::from(b - b'0'))
            .collect();
        let n = |from: usize, to: usize| digits[from..to].iter().fold(0, |n, d| 10 * n + d);
        let is_of_issuer = match digits.len() {
            13 | 19 => digits[0] == 4,
            15 => matches!(n(0, 2), 34 | 37),
            14 => matches!(n(0, 2), 36 | 38) || matches!(n(0, 3), 300..=305),
            16 => {
                digits[0] == 4
                    || matches!(n(0, 2), 51..=55 | 60 | 65)
                    || matches!(n(0, 4), 2221..=2720 | 3528..=3589)
            }
            _ => false,
        };
        // Test cards repeat or count.
        let is_test = n(4, 8) == 1111 && n(8, 12) == 1111
            || n(0, 4) == 4242
            || digits.iter().skip(2).filter(|d| **d == 0).count() > digits.len() / 2
            || digits.windows(2).skip(1).take(8).all(|w| w[1] == (w[0] + 1) % 10);
        is_of_issuer && !is_test && luhn(&digits)
    }

    fn is_phone(&self, n_digits: usize) -> bool {
        let digit = |group: usize, i: usize| self.text.as_bytes()[self.groups[group].0 + i];
        let before = self.before();
        let is_open = before.last() == Some(&b'(');
        let outside = if is_open { &before[..before.len() - 1] } else { before };
        let has_slash = self.groups().windows(2).any(|p| self.text.as_bytes()[p[0].1] == b'/');
        if has_slash || n_digits > 15 {
            return false;
        }
        let lengths = self.lengths();
        let is_nanp = |first: usize| {
            let is_fictional =
                &self.text[self.groups[first + 1].0..self.groups[first + 1].1] == "555";
            (b'2'..=b'9').contains(&digit(first, 0))
                && (b'2'..=b'9').contains(&digit(first + 1, 0))
                && !is_fictional
        };
        let is_plus = outside.last() == Some(&b'+');
        match *lengths.as_slice() {
            [1, 3, 3, 4] if digit(0, 0) == b'1' => is_nanp(1),
            _ if is_plus => true,
            [3, 3, 4] => is_nanp(0),
            [5, 5] => self.has_marks(b" -") && digit(0, 0) >= b'6',
            [2, 2, 2, 2, 2] => self.has_marks(b" .-") && digit(0, 0) == b'0' && digit(0, 1) != b'0',
            [2, 5, 4] => is_open && digit(1, 0) == b'9',
            [2, 4, 4] => is_open,
            [3, 7] | [3, 3, 2, 2] => self.has_marks(b" ") && digit(0, 0) == b'3',
            _ => false,
        }
    }
}

/// Whether the last digit is the one that the others ask for (Luhn 1960, US patent 2,950,048).
fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, digit)| if i % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    sum.is_multiple_of(10)
}

/// Characters of an IBAN, by country (ISO 13616).
const IBAN_LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 \
    FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 \
    MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 \
    TN24 TR26 UA29 VA22 VG24 XK20";

/// Where the IBAN ends whose check digits begin at `start`: right in length and checksum (ISO 7064, modulo 97).
fn iban(bytes: &[u8], start: usize) -> Option<usize> {
    let country = bytes.get(start.checked_sub(2)?..start)?;
    let is_start = country.iter().all(u8::is_ascii_uppercase)
        && !start.checked_sub(3).is_some_and(|before| is_word(bytes[before]));
    let listed = IBAN_LENGTHS.split_ascii_whitespace().filter(|_| is_start);
    let length: usize =
        listed.into_iter().find(|c| c.as_bytes()[..2] == *country)?[2..].parse().ok()?;
    let mut characters = country.to_vec();
    let mut at = start;
    while characters.len() < length {
        match *bytes.get(at)? {
            b' ' => {}
            c if c.is_ascii_digit() || c.is_ascii_uppercase() => characters.push(c),
            _ => return None,
        }
        at += 1;
    }
    if bytes.get(at).copied().is_some_and(is_word) {
        return None;
    }
    characters.rotate_left(4);
    let remainder = characters.iter().fold(0, |rest: u32, c| match c {
        b'0'..=b'9' => (10 * rest + u32::from(c - b'0')) % 97,
        _ => (100 * rest + u32::from(c - b'A') + 10) % 97,
    });
    (remainder == 1).then_some(at)
}
