use std::collections::BTreeMap;

use super::*;

#[derive(Serialize)]
enum Kind {
    Plain,
    Wrapped(u8),
    Pair(i8, bool),
    Named { a: Option<u16> },
}

#[derive(Serialize)]
struct Args {
    term: u64,
    entries: Vec<(u64, Vec<u8>)>,
    kinds: Vec<Kind>,
    by_server: BTreeMap<usize, char>,
    nothing: Option<()>,
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn map(name: &str, value: Value) -> Value {
    Value::Map(vec![(name.into(), value)])
}

#[test]
fn a_struct_shows_its_fields_by_name_and_lists_of_bytes_as_bytes() {
    let args = Args {
        term: 3,
        entries: vec![(1, vec![1, 255]), (2, vec![])],
        kinds: vec![
            Kind::Plain,
            Kind::Wrapped(7),
            Kind::Pair(-1, true),
            Kind::Named { a: Some(5) },
        ],
        by_server: BTreeMap::from([(2, 'x')]),
        nothing: None,
    };
    let entry = |index, command| Value::List(vec![Value::Unsigned(index), command]);
    let kinds = vec![
        text("Plain"),
        map("Wrapped", Value::Unsigned(7)),
        map("Pair", Value::List(vec![Value::Signed(-1), Value::Bool(true)])),
        map("Named", map("a", Value::Unsigned(5))),
    ];
    let expected = Value::Map(vec![
        ("term".into(), Value::Unsigned(3)),
        (
            "entries".into(),
            Value::List(vec![entry(1, Value::Bytes(vec![1, 255])), entry(2, Value::List(vec![]))]),
        ),
        ("kinds".into(), Value::List(kinds)),
        ("by_server".into(), map("2", text("x"))),
        ("nothing".into(), Value::Null),
    ]);
    assert_eq!(describe(&args), Some(expected));
}

#[test]
fn a_type_that_cannot_be_serialized_has_no_description() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    assert_eq!(describe(&[Broken]), None);
}

#[derive(Serialize)]
struct Nested {
    inner: Option<Box<Nested>>,
}

#[derive(Serialize)]
enum Chain {
    Next { next: Box<Chain> },
    End,
}

#[test]
fn what_nests_too_deep_has_no_description() {
    let nested = |levels| {
        let inner = |inner: Nested, _| Nested { inner: Some(Box::new(inner)) };
        (1..levels).fold(Nested { inner: None }, inner)
    };
    assert!(describe(&nested(20)).is_some());
    assert_eq!(describe(&nested(1000)), None);
    let chain = (0..59).fold(Chain::End, |next, _| Chain::Next { next: Box::new(next) });
    assert!(describe(&chain).is_some());
    assert_eq!(
        describe(&Chain::Next { next: Box::new(Chain::Next { next: Box::new(chain) }) }),
        None
    );
}

#[test]
fn what_has_too_many_parts_has_no_description_but_bytes_are_one_part() {
    assert_eq!(describe(&vec![7_u64; VALUES_MAX]), None);
    assert!(describe(&vec![7_u64; VALUES_MAX - 1]).is_some());
    let bytes = vec![7_u8; 2 * VALUES_MAX];
    assert_eq!(describe(&bytes), Some(Value::Bytes(bytes.clone())));
    // Among other values a byte is a number.
    assert_eq!(describe(&(bytes, 7_u64)).map(drop), Some(()));
    let mixed = Value::List(vec![Value::Unsigned(1), text("x"), Value::Unsigned(2)]);
    assert_eq!(describe(&(1_u8, "x", 2_u8)), Some(mixed));
}
