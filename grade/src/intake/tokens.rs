//! Refuses sources that could bring native code into the program, by looking at their tokens.
//!
//! `forbid(unsafe_code)` does not see everything: an `extern` block without functions links any
//! object file, a naked function is assembly without `unsafe`, and a derive that parses a string
//! compiles `unsafe` code of its own making. All of them need a token that honest code has no use
//! for. Every file below `src` is searched, because an `include!` or a `#[path]` takes any name.
//! A file that is not UTF-8 cannot be compiled, so nothing in it counts.
//!
//! A macro sees tokens where a person sees none: its input, its body, and strings that it passes to
//! a derive. So only comments are skipped. Documentation can be skipped: a macro that takes a doc
//! comment apart gets a raw string, and no derive that a submission may use parses one.

use std::borrow::Cow;
use std::fmt;

use ra_ap_rustc_lexer::{Cursor, FrontmatterAllowed, LiteralKind, TokenKind, strip_shebang};
use rustc_literal_escaper::unescape_str;
use unicode_normalization::UnicodeNormalization;

use crate::bounds::STRING_DEPTH_MAX;

/// Attributes that reach the linker, or that need `unsafe`.
const ATTRIBUTES: [&str; 10] = [
    "export_name",
    "ffi_const",
    "ffi_pure",
    "link",
    "link_name",
    "link_ordinal",
    "link_section",
    "naked",
    "no_mangle",
    "used",
];
/// Macros that are assembly, or that put `unsafe` code around their input.
const MACROS: [&str; 3] = ["crossbeam_channel_internal", "global_asm", "naked_asm"];
/// Functions of `std::panic` that replace the panic hook. The kit learns of panics through that
/// hook; without it a panicking thread would not fail the test. A submission can give its own
/// functions other names.
const HOOKS: [&str; 3] = ["set_hook", "take_hook", "update_hook"];
/// The tokens that follow the word `unsafe` in code, but hardly ever in a sentence for people.
const AFTER_UNSAFE: [&str; 5] = ["{", "extern", "fn", "impl", "trait"];

/// A forbidden thing in the sources. Displayed as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Forbidden {
    Extern,
    Attribute(String),
    Macro(String),
    Hook(String),
    /// One of the above in a string.
    InString(Box<Forbidden>),
    /// Only reported in a string. Elsewhere the compiler refuses it.
    Unsafe,
}

/// The first forbidden thing in a file, with its line.
pub(crate) fn forbidden(bytes: &[u8], edition: &str) -> Option<(usize, Forbidden)> {
    let text = str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Editions 2015 and 2018 split what later editions read as one token.
    let splits = matches!(edition, "2015" | "2018");
    // Whether the first line counts depends on how the file is included.
    let starts = [Some(0), strip_shebang(text)];
    starts.into_iter().flatten().find_map(|start| {
        let (at, found) = in_code(&tokens(&text[start..], splits), splits, 0)?;
        let line = text[..start + at].bytes().filter(|byte| *byte == b'\n').count() + 1;
        Some((line, found))
    })
}

/// A token, and where it begins.
#[derive(Debug)]
struct Token<'a> {
    at: usize,
    kind: Kind<'a>,
}

#[derive(Debug, PartialEq)]
enum Kind<'a> {
    /// A keyword or an identifier.
    Word(Cow<'a, str>),
    /// With `r#` in front, so that it is no keyword.
    RawWord(Cow<'a, str>),
    /// A string, with the text between its quotes.
    Text(Cow<'a, str>),
    /// Anything else.
    Other(&'a str),
}

impl Token<'_> {
    fn is(&self, text: &str) -> bool {
        matches!(&self.kind, Kind::Word(it) if it == text)
            || matches!(&self.kind, Kind::Other(it) if *it == text)
    }

    /// An attribute's name can be written either way.
    fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(it) | Kind::RawWord(it) => Some(it),
            _ => None,
        }
    }
}

/// A delimiter that is open around a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// An attribute.
    Attribute,
    /// `cfg_attr` within one: a condition, and after each comma another attribute.
    Condition,
    Other,
}

/// Finds the names of attributes in one pass over all tokens. To search for the end of each could
/// take forever, because a submission can nest them.
#[derive(Default)]
struct Place {
    open: Vec<Open>,
    /// The next token is the name of an attribute.
    is_name: bool,
    /// The next token opens a condition.
    opens_condition: bool,
}

impl Place {
    /// Moves past a token. `before`: the tokens before it.
    fn pass(&mut self, token: &Token, before: &[Token]) {
        let is_cfg_attr = self.is_name && token.name() == Some("cfg_attr");
        let opens_condition = std::mem::replace(&mut self.opens_condition, is_cfg_attr);
        self.is_name = false;
        match &token.kind {
            Kind::Other("[") if begins_attribute(before) => {
                self.open.push(Open::Attribute);
                self.is_name = true;
            }
            Kind::Other("(") if opens_condition => self.open.push(Open::Condition),
            Kind::Other("(" | "[" | "{") => self.open.push(Open::Other),
            Kind::Other(")" | "]" | "}") => drop(self.open.pop()),
            Kind::Other(",") => self.is_name = self.open.last() == Some(&Open::Condition),
            _ => {}
        }
    }

    /// An attribute with a forbidden name.
    fn attribute(&self, token: &Token, rest: &[Token]) -> Option<Forbidden> {
        let name = token.name().filter(|_| self.is_name)?;
        if ATTRIBUTES.contains(&name) {
            return Some(Forbidden::Attribute(name.into()));
        }
        if name != "unsafe" {
            return None;
        }
        let inner = rest.get(1).and_then(Token::name);
        Some(Forbidden::Attribute(inner.unwrap_or(name).into()))
    }
}

/// Whether `#` or `#!` comes before.
fn begins_attribute(before: &[Token]) -> bool {
    match before {
        [.., sign, bang] if bang.is("!") => sign.is("#"),
        [.., sign] => sign.is("#"),
        [] => false,
    }
}

fn in_code(tokens: &[Token], splits: bool, depth: usize) -> Option<(usize, Forbidden)> {
    let mut place = Place::default();
    for (index, token) in tokens.iter().enumerate() {
        let rest = &tokens[index + 1..];
        let next = |text: &str| rest.first().is_some_and(|it| it.is(text));
        let found = match &token.kind {
            Kind::Word(word) if word == "extern" => {
                // Within delimiters a macro could take it apart and use the one word.
                (!place.open.is_empty() || !next("crate")).then_some(Forbidden::Extern)
            }
            Kind::Text(text) => in_string(text, splits, depth),
            _ => place.attribute(token, rest),
        };
        let found = found.or_else(|| known_macro(token, rest));
        if let Some(found) = found.or_else(|| panic_hook(token)) {
            return Some((token.at, found));
        }
        place.pass(token, &tokens[..index]);
    }
    None
}

fn known_macro(token: &Token, rest: &[Token]) -> Option<Forbidden> {
    let name = token.name()?;
    let is_called = rest.first().is_some_and(|it| it.is("!"));
    let is_known = MACROS.contains(&name) || (name == "asm" && is_called);
    is_known.then(|| Forbidden::Macro(name.into()))
}

/// Words that are forbidden anywhere, because a macro can move a word.
fn panic_hook(token: &Token) -> Option<Forbidden> {
    token.name().filter(|name| HOOKS.contains(name)).map(|name| Forbidden::Hook(name.into()))
}

/// The forbidden thing that a derive would compile if it parsed this string. There are fewer rules
/// than for code, because people may write about `extern` and `unsafe`.
fn in_string(text: &str, splits: bool, depth: usize) -> Option<Forbidden> {
    let tokens = tokens(text, splits);
    let mut place = Place::default();
    for (index, token) in tokens.iter().enumerate() {
        let rest = &tokens[index + 1..];
        let next = |text: &str| rest.first().is_some_and(|it| it.is(text));
        let found = match &token.kind {
            Kind::Word(word) if word == "extern" => {
                let abi = matches!(rest.first(), Some(Token { kind: Kind::Text(_), .. }));
                (abi || next("{")).then_some(Forbidden::Extern)
            }
            Kind::Word(word) if word == "unsafe" && !place.is_name => {
                AFTER_UNSAFE.into_iter().any(next).then_some(Forbidden::Unsafe)
            }
            Kind::Text(_) if depth == STRING_DEPTH_MAX => Some(Forbidden::Unsafe),
            Kind::Text(text) => in_string(text, splits, depth + 1),
            _ => place.attribute(token, rest),
        };
        match found.or_else(|| known_macro(token, rest).filter(|_| next("!"))) {
            None => place.pass(token, &tokens[..index]),
            Some(found @ Forbidden::InString(_)) => return Some(found),
            Some(found) => return Some(Forbidden::InString(Box::new(found))),
        }
    }
    None
}

/// The tokens as the compiler reads them. `splits`: as in editions before 2021.
fn tokens(text: &str, splits: bool) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut cursor = Cursor::new(text, FrontmatterAllowed::No);
    loop {
        let token = cursor.advance_token();
        let whole = token.len as usize;
        let (kind, len) = match token.kind {
            TokenKind::Eof => return tokens,
            TokenKind::Whitespace
            | TokenKind::LineComment { .. }
            | TokenKind::BlockComment { .. } => (None, whole),
            kind => of_kind(kind, &text[at..at + whole], splits),
        };
        tokens.extend(kind.map(|kind| Token { at, kind }));
        at += len;
        if len < whole {
            cursor = Cursor::new(&text[at..], FrontmatterAllowed::No);
        }
    }
}

/// The kind of a token, and its length in the text: not all of it if the token is split.
fn of_kind(kind: TokenKind, text: &str, splits: bool) -> (Option<Kind<'_>>, usize) {
    let whole = text.len();
    let word = |text| Some(Kind::Word(normal(text)));
    match kind {
        TokenKind::Ident | TokenKind::UnknownPrefix => (word(text), whole),
        TokenKind::RawIdent => (Some(Kind::RawWord(normal(&text[2..]))), whole),
        TokenKind::ForcedKeywordIdent => (word(&text[2..]), whole),
        TokenKind::Literal { kind, suffix_start } => {
            let literal = &text[..suffix_start as usize];
            match kind {
                LiteralKind::CStr { .. } if splits => (word("c"), 1),
                LiteralKind::RawCStr { .. } if splits => (word("cr"), 2),
                LiteralKind::Str { .. } => (Some(Kind::Text(unescaped(literal))), whole),
                LiteralKind::RawStr { .. } => {
                    let inner = literal[1..].trim_matches('#');
                    (Some(Kind::Text(between_quotes(inner).into())), whole)
                }
                _ => (Some(Kind::Other(text)), whole),
            }
        }
        // Later editions read these as an error or as one token.
        TokenKind::GuardedStrPrefix => (Some(Kind::Other("#")), 1),
        TokenKind::RawLifetime => (Some(Kind::Other("'r")), 2),
        _ => (Some(Kind::Other(text)), whole),
    }
}

/// The compiler compares names in this form.
fn normal(text: &str) -> Cow<'_, str> {
    match text.is_ascii() {
        true => text.into(),
        false => text.nfc().collect::<String>().into(),
    }
}

fn unescaped(literal: &str) -> Cow<'_, str> {
    let inner = between_quotes(literal);
    if !inner.contains('\\') {
        return inner.into();
    }
    let mut text = String::new();
    // An unknown escape is an error for the compiler.
    unescape_str(inner, |_, read| text.extend(read));
    text.into()
}

fn between_quotes(literal: &str) -> &str {
    let inner = literal.strip_prefix('"').unwrap_or(literal);
    inner.strip_suffix('"').unwrap_or(inner)
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Forbidden::Extern => f.write_str(
                "has the keyword `extern`, which can link native code; remove it (only \
                 `extern crate` outside of all braces is allowed)",
            ),
            Forbidden::Attribute(name) => {
                write!(f, "has the attribute `{name}`, which bypasses safe Rust; remove it")
            }
            Forbidden::Macro(name) => {
                write!(f, "uses the macro `{name}`, which bypasses safe Rust; remove it")
            }
            Forbidden::Hook(name) => write!(
                f,
                "uses `{name}`, but only the kit may set the panic hook; remove or rename it"
            ),
            Forbidden::Unsafe => f.write_str("has `unsafe` code"),
            Forbidden::InString(found) => {
                let what = match &**found {
                    Forbidden::Attribute(name) => format!("the attribute `{name}`"),
                    Forbidden::Macro(name) => format!("the macro `{name}`"),
                    Forbidden::Extern => "an `extern` block".into(),
                    Forbidden::Hook(_) | Forbidden::Unsafe | Forbidden::InString(_) => {
                        "`unsafe` code".into()
                    }
                };
                write!(f, "has a string with {what}, which a derive can compile; change the string")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: Option<&str>) {
        check_in("2024", source, expected);
    }

    #[track_caller]
    fn check_in(edition: &str, source: &str, expected: Option<&str>) {
        let found = forbidden(source.as_bytes(), edition);
        let found = found.map(|(line, found)| match found {
            Forbidden::Extern => format!("{line} extern"),
            Forbidden::Attribute(name) => format!("{line} #{name}"),
            Forbidden::Macro(name) => format!("{line} {name}!"),
            Forbidden::Hook(name) => format!("{line} {name}"),
            Forbidden::InString(found) => format!("{line} string {found:?}"),
            Forbidden::Unsafe => format!("{line} unsafe"),
        });
        assert_eq!(found.as_deref(), expected, "{source}");
    }

    #[test]
    fn extern_is_for_crates_at_the_top_of_a_file() {
        check("extern crate labrpc;\n#[macro_use]\nextern crate log as l;", None);
        check("\n#[link(name = \"x\")]\nextern \"C\" {}", Some("2 #link"));
        check("extern {}", Some("1 extern"));
        check("pub extern \"C\" fn f() {}", Some("1 extern"));
        check("extern/**/\"C\"{}", Some("1 extern"));
        check("macro_rules! m { () => {\n extern \"C\" {} } }", Some("2 extern"));
        // A macro could use the first word alone.
        check("m! { extern crate labrpc; }", Some("1 extern"));
        check("// extern {}\n/* extern {} */\n/// extern {}\nlet r#extern = 1;", None);
    }

    #[test]
    fn attributes_are_forbidden_by_name_where_they_are_attributes() {
        check("#[link(name = \"x\")]", Some("1 #link"));
        check("#![link(name = \"x\")]", Some("1 #link"));
        check("# [ r#link (name = \"x\")]", Some("1 #link"));
        check("#[cfg_attr(all(unix, not(x)), inline, link(name = \"x\"))]", Some("1 #link"));
        check("#[cfg_attr(unix, cfg_attr(unix, used))]", Some("1 #used"));
        check("#[unsafe(naked)] fn f() {}", Some("1 #naked"));
        check("#[unsafe(no_mangle)] fn f() {}", Some("1 #no_mangle"));
        check("macro_rules! m { ($l:literal) => { #[link(name = $l)] } }", Some("1 #link"));
        check("fn link(used: u8) { self.link(used); let x = [link, used]; asm += 1; }", None);
        check("#[derive(link)]\n#[instrument(skip(link), fields(used = 1))]", None);
        check("#[cfg(link)]\n#[allow(no_mangle_generic_items, unsafe_code)]", None);
        check("#[cfg_attr(link, inline)]", None);
    }

    #[test]
    fn assembly_is_forbidden_under_any_name() {
        check("core::arch::naked_asm!(\"ret\")", Some("1 naked_asm!"));
        check("use core::arch::global_asm as harmless;", Some("1 global_asm!"));
        check("asm!(\"nop\")", Some("1 asm!"));
    }

    #[test]
    fn functions_that_change_the_panic_hook_are_forbidden() {
        check("std::panic::set_hook(Box::new(|_| ()));", Some("1 set_hook"));
        check("use std::panic::{self, take_hook as t};", Some("1 take_hook"));
        check("m!(r#set_hook)", Some("1 set_hook"));
        check("m!(fn take_hook); m!(. set_hook)", Some("1 take_hook"));
        check("fn set_a_hook(&self) { self.hooks.set(1); }", None);
    }

    #[test]
    fn a_string_is_forbidden_if_a_derive_could_compile_it_to_unsafe_code() {
        let bounds = |code: &str| format!("#[bincode(bounds = {code:?})]");
        check(&bounds("[u8; { unsafe { f() } 1 }]: Sized"), Some("1 string Unsafe"));
        check(&bounds("[u8; { extern \"C\" {} 1 }]: Sized"), Some("1 string Extern"));
        let used = Some("1 string Attribute(\"used\")");
        check(&bounds("[u8; { #[used] static X: u8 = 0; 1 }]: Sized"), used);
        let inner = bounds("[u8; { unsafe { f() } 1 }]: Sized");
        check(&bounds(&format!("[u8; {{ {inner} 1 }}]: Sized")), Some("1 string Unsafe"));
        check("m!(r#\"unsafe impl\"#)", Some("1 string Unsafe"));
        check("m!(\"\\x75nsafe {\")", Some("1 string Unsafe"));
        check("panic!(\"an unsafe state, extern or #link; {}\", \"link(used)\")", None);
        check("log!(\"naked_asm, unsafe\")", None);
        check("T::from(\"#[derive(Debug)] struct\")", None);
    }

    #[test]
    fn tokens_are_those_of_the_edition() {
        let hidden = "m! { cr#\"  \" extern \"C\" {} \"#\" }";
        check_in("2018", hidden, Some("1 extern"));
        check_in("2021", hidden, None);
        check_in("2021", "m! { #\"  \" extern \"C\" {} \"#\" }", Some("1 extern"));
        check_in("2018", "m! { c\"extern {}\" }", Some("1 string Extern"));
        check_in("2018", "m! { 'r#extern \"C\" {} }", Some("1 extern"));
    }

    /// None of these texts compiles.
    #[test]
    fn the_search_ends_soon_and_without_a_panic_for_any_text() {
        const PIECES: [&str; 24] = [
            "r#", "cr#", "\"", "'", "b'", "#", "[", "(", "]", ")", "\\", "\u{e9}", "k#", "'r#",
            "/*", "*/", "//", "\n", "extern ", "unsafe", "1e", "0x", "cfg_attr", ",",
        ];
        let mut state = 7_u64;
        for _ in 0..2000 {
            let mut text = String::new();
            for _ in 0..20 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text += PIECES[(state >> 33) as usize % PIECES.len()];
            }
            for edition in ["2018", "2024"] {
                forbidden(text.as_bytes(), edition);
            }
        }
        for piece in ["#[cfg_attr(a,", "cfg_attr(a,", "#[", "(", "\\\"", "r#\"", "/*", "'r#"] {
            forbidden(piece.repeat(1 << 16).as_bytes(), "2018");
            forbidden(format!("#[cfg_attr({}", piece.repeat(1 << 16)).as_bytes(), "2018");
        }
    }

    #[test]
    fn the_first_line_is_searched_as_code_and_as_a_shebang() {
        check("#!/bin/sh \" /*\nextern {}", Some("2 extern"));
        check("#!\nextern {}", Some("2 extern"));
        check("\u{feff}extern {}", Some("1 extern"));
        assert_eq!(forbidden(b"\x7fELF\xff extern {}", "2024"), None);
    }
}
