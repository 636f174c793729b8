//! What is, and what is not, taken for personal data.

use super::*;
use crate::lint::testing::Case;

#[track_caller]
fn check(text: &str, expected: &[(PersonalKind, &str)]) {
    let mut found = Vec::new();
    scan(text, &mut |kind, value| found.push((kind, value.to_owned())));
    let found: Vec<(PersonalKind, &str)> =
        found.iter().map(|(kind, value)| (*kind, &**value)).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn mail_addresses() {
    use PersonalKind::Mail;
    check("Write to Ana.Silva+x@mail.uni.br, please.", &[(Mail, "Ana.Silva+x@mail.uni.br")]);
    check("<a@b.io> and (c@d.org).", &[(Mail, "a@b.io"), (Mail, "c@d.org")]);
    for text in [
        "@handle",
        "a@b",
        "you@example.com",
        "me@mail.example.org",
        "x@y.test",
        "5 @ 3.50",
        "a@.com",
        "@",
        "é@",
    ] {
        check(text, &[]);
    }
}

#[test]
fn phones() {
    use PersonalKind::Phone;
    for (text, value) in [
        ("Call +39 06 6982 1234 now", "39 06 6982 1234"),
        ("+5511987654321", "5511987654321"),
        ("(212) 736-5000", "212) 736-5000"),
        ("1-212-736-5000", "1-212-736-5000"),
        ("+1 212 736 5000", "1 212 736 5000"),
        ("212.736.5000", "212.736.5000"),
        ("98765 43210", "98765 43210"),
        ("06 12 34 56 78", "06 12 34 56 78"),
        ("(11) 91234-5678", "11) 91234-5678"),
        ("347 1234567", "347 1234567"),
    ] {
        check(text, &[(Phone, value)]);
    }
    for text in [
        "in 2019 2020 2021",
        "12/11/2020",
        "1234567890",
        "(212) 555-0123",
        "+1 212 555 0123",
        "3.14159265358979",
        "2020-11-12",
        "100 200 3000",
        "5 + 3",
        "1 2 3 4 5 6 7 8 9 10 11",
        "12345 67890",
        "978-3-16-148410-0",
    ] {
        check(text, &[]);
    }
}

#[test]
fn cards_and_accounts() {
    use PersonalKind::{Card, Iban};
    check("5425 2334 3010 9903", &[(Card, "5425 2334 3010 9903")]);
    check(
        "4263-9826-4026-9299 and 374245455400126",
        &[(Card, "4263-9826-4026-9299"), (Card, "374245455400126")],
    );
    for text in [
        "5425 2334 3010 9904",
        "4111 1111 1111 1111",
        "4242424242424242",
        "9425233430109903",
        "5425 2334-3010 9903",
    ] {
        check(text, &[]);
    }
    check("To DE75512108001245126199, or", &[(Iban, "DE75512108001245126199")]);
    check("FR76 3000 6000 0112 3456 7890 189", &[(Iban, "FR76 3000 6000 0112 3456 7890 189")]);
    check("GB33BUKB20201555555555", &[(Iban, "GB33BUKB20201555555555")]);
    for text in [
        "DE75512108001245126198",
        "DE7551210800124512619",
        "XY75512108001245126199",
        "ADE75512108001245126199",
    ] {
        check(text, &[]);
    }
}

#[test]
fn machines() {
    use PersonalKind::Ip;
    check("ping 93.184.216.34!", &[(Ip, "93.184.216.34")]);
    for text in [
        "192.168.1.1",
        "127.0.0.1",
        "10.0.0.7",
        "8.8.8.8",
        "version 1.2.3.4",
        "192.0.2.7",
        "300.1.2.3",
        "93.184.216.34.5",
    ] {
        check(text, &[]);
    }
}

#[test]
fn addresses() {
    use PersonalKind::Address;
    for (text, value) in [
        ("I live at 221 Baker Street in London", "221 Baker Street"),
        ("1600 Pennsylvania Ave NW", "1600 Pennsylvania Ave"),
        ("au 12 rue du Bac, Paris", "12 rue du"),
        ("12, avenue Foch", "12, avenue Foch"),
        ("in Via Roma 12, Torino", "Via Roma 12"),
        ("Rua das Flores, 123", "Rua das Flores, 123"),
        ("na Av. Paulista, nº 1578", "Av. Paulista, nº 1578"),
        ("Calle de Alcalá 50", "Calle de Alcalá 50"),
    ] {
        check(text, &[(Address, value)]);
    }
    for text in [
        "1. Main Street is long",
        "3 places",
        "In 2020 Apple grew",
        "the 5 rue",
        "via email 12",
        "12 Road",
        "Room 12",
        "100 street lamps",
        "12345678 Baker Street",
        "10 Downing",
        "item 3 a",
    ] {
        check(text, &[]);
    }
}

#[test]
fn text_of_any_script_is_looked_through() {
    check("", &[]);
    check(&"नमस्ते दुनिया ".repeat(20), &[]);
    check(
        &format!("{} +39 06 6982 1234", "é".repeat(333)),
        &[(PersonalKind::Phone, "39 06 6982 1234")],
    );
    check("१२३ 12 rue Ñuñoa", &[(PersonalKind::Address, "12 rue Ñuñoa")]);
}

#[test]
fn values_are_masked_and_counted() {
    let comparison = Case::new("I am ana@uni.br", &["no", "Call +39 06 6982 1234"]).comparison();
    let (mut personal, mut findings) = (Personal::default(), Findings::default());
    personal.look(&comparison, &mut findings);
    let found = findings.iter().flat_map(|(_, _, e)| e);
    let found: Vec<(&str, &str)> =
        found.map(|e| (e.column.as_deref().unwrap_or(""), &*e.value)).collect();
    assert_eq!(
        found,
        [("turn 1, prompt", "mail: a••@•••.••"), ("turn 1, candidate b", "phone: 3• •• •••• ••••")]
    );
    let mut all = Personal::default();
    all.merge(personal);
    let rows: Vec<_> = all.finish().iter().map(|row| (row.text, row.kind, row.n)).collect();
    assert_eq!(rows, [("candidate", PersonalKind::Phone, 1), ("prompt", PersonalKind::Mail, 1)]);
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_odd(text in r"[0-9A-Z@+. ,()/\-éनव•\n]{0,80}") {
        scan(&text, &mut |_, value| assert!(!value.is_empty()));
    }
}
