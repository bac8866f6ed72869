//! The messages of a program: strings that read like a sentence, and help texts.
//!
//! A string counts if it has two words next to each other; placeholders are no words. Tests, and
//! attributes other than those of clap and thiserror, are left out.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::problem::Problem;

/// By file: its messages, in the order of the code.
pub(crate) type Messages = BTreeMap<String, Vec<Message>>;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) text: String,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// Derives whose doc comments are help texts.
const HELP: [&str; 4] = ["Parser", "Args", "Subcommand", "ValueEnum"];
/// Attributes with strings that people read.
const READ: [&str; 4] = ["arg", "command", "error", "value"];

/// The messages of one source file.
///
/// # Errors
/// If it is not Rust.
pub(crate) fn of(text: &str) -> Result<Vec<Message>> {
    let tokens: TokenStream =
        text.parse().map_err(|error| anyhow::anyhow!("{error}")).context("failed to parse it")?;
    let mut messages = Vec::new();
    collect(tokens, false, &mut messages);
    Ok(messages)
}

/// What the attributes in front of an item say.
#[derive(Default)]
struct Attributes {
    is_test: bool,
    is_help: bool,
    /// The doc comment, a line an entry.
    docs: Vec<Message>,
    /// Strings in attributes that people read.
    read: Vec<Message>,
}

/// Walks one level of tokens. `in_help`: its doc comments are help texts.
fn collect(tokens: TokenStream, in_help: bool, messages: &mut Vec<Message>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut attributes = Attributes::default();
    let mut is_in_item = false;
    let mut in_item = Attributes::default();
    let mut is_assembly = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next_if(|next| matches!(next, TokenTree::Punct(p) if p.as_char() == '!'));
                if let Some(TokenTree::Group(group)) = tokens.next_if(is_bracketed) {
                    attributes.add(&group);
                }
                continue;
            }
            TokenTree::Group(group) => {
                begin(&mut attributes, &mut is_in_item, &mut in_item, in_help, messages);
                let is_body = group.delimiter() == Delimiter::Brace;
                if !in_item.is_test && !is_assembly {
                    collect(group.stream(), is_body && in_item.is_help, messages);
                }
                is_in_item &= !is_body;
            }
            TokenTree::Literal(literal) => {
                begin(&mut attributes, &mut is_in_item, &mut in_item, in_help, messages);
                if !in_item.is_test {
                    messages.extend(message(&literal));
                }
            }
            TokenTree::Punct(punct) => {
                begin(&mut attributes, &mut is_in_item, &mut in_item, in_help, messages);
                is_in_item &= !matches!(punct.as_char(), ';' | ',');
            }
            TokenTree::Ident(ident) => {
                is_assembly = ident.to_string().ends_with("asm");
                begin(&mut attributes, &mut is_in_item, &mut in_item, in_help, messages);
            }
        }
        if !is_in_item {
            in_item = Attributes::default();
        }
    }
}

fn is_bracketed(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

/// The attributes read so far belong to the item that begins here, if any do.
fn begin(
    attributes: &mut Attributes,
    is_in_item: &mut bool,
    in_item: &mut Attributes,
    in_help: bool,
    messages: &mut Vec<Message>,
) {
    let new = std::mem::take(attributes);
    if !*is_in_item || new.is_test || new.is_help {
        *is_in_item = true;
        if !new.is_test {
            if in_help || new.is_help {
                messages.extend(paragraphs(&new.docs));
            }
            messages.extend(new.read.iter().filter(|read| is_prose(&read.text)).cloned());
        }
        *in_item = new;
    }
}

impl Attributes {
    fn add(&mut self, group: &Group) {
        let mut tokens = group.stream().into_iter();
        let Some(TokenTree::Ident(name)) = tokens.next() else { return };
        let rest: TokenStream = tokens.collect();
        match name.to_string().as_str() {
            "cfg" => self.is_test |= rest.to_string() == "(test)",
            "test" => self.is_test = true,
            "derive" | "cfg_attr" => {
                let derives = rest.to_string();
                let words = derives.split(|c: char| !c.is_alphanumeric());
                self.is_help |= words.into_iter().any(|word| HELP.contains(&word));
            }
            "doc" => strings(rest, &mut self.docs),
            name if READ.contains(&name) => strings(rest, &mut self.read),
            _ => {}
        }
    }
}

/// The paragraphs of a doc comment.
fn paragraphs(lines: &[Message]) -> Vec<Message> {
    let parts = lines.split(|line| line.text.is_empty()).filter(|part| !part.is_empty());
    let paragraph = |part: &[Message]| {
        let words: Vec<&str> = part.iter().map(|line| &line.text[..]).collect();
        Message { text: words.join(" "), line: part[0].line }
    };
    parts.map(paragraph).collect()
}

/// All strings below, sentences or not.
fn strings(tokens: TokenStream, all: &mut Vec<Message>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => strings(group.stream(), all),
            TokenTree::Literal(literal) => all.extend(string(&literal)),
            _ => {}
        }
    }
}

/// A string literal that reads like a sentence.
fn message(literal: &proc_macro2::Literal) -> Option<Message> {
    string(literal).filter(|message| is_prose(&message.text))
}

fn string(literal: &proc_macro2::Literal) -> Option<Message> {
    let syn::Lit::Str(string) = syn::Lit::new(literal.clone()) else { return None };
    let line = literal.span().start().line;
    Some(Message { text: string.value().trim().to_owned(), line })
}

/// Whether two words stand next to each other.
fn is_prose(text: &str) -> bool {
    let mut text = text.to_owned();
    while let Some(open) = text.find('{')
        && let Some(close) = text[open..].find('}')
    {
        text.replace_range(open..=open + close, "0");
    }
    let is_word = |word: &str| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        word.len() > 1 && word.chars().all(|c| c.is_alphabetic() || c == '\'')
    };
    let words: Vec<bool> = text.split_whitespace().map(is_word).collect();
    words.windows(2).any(|pair| pair[0] && pair[1])
}

/// The list as text: a heading a file, a message a line.
pub(crate) fn render(messages: &Messages) -> String {
    let mut list = String::from(
        "Every sentence that the programs of this workspace print, by file.\n\
         Written by `cargo wording --accept`; CI checks that it is complete.\n",
    );
    for (path, messages) in messages {
        list += &format!("\n{path}\n");
        for Message { text, .. } in messages {
            list += &format!("    {}\n", text.replace('\n', "\\n"));
        }
    }
    list
}

/// Compares a list with the messages of the code.
pub(crate) fn compare(list: &str, messages: &Messages) -> Vec<Problem> {
    let (old, new) = (lines(list), lines(&render(messages)));
    let problem = |(path, message): &(String, String), is_missing| Problem::List {
        path: path.clone(),
        message: message.clone(),
        is_missing,
    };
    let missing = new.difference(&old).map(|line| problem(line, true));
    let gone = old.difference(&new).map(|line| problem(line, false));
    missing.chain(gone).collect()
}

/// The messages of a list, each with its file.
fn lines(list: &str) -> BTreeSet<(String, String)> {
    let mut path = "";
    let mut lines = BTreeSet::new();
    for line in list.lines() {
        match line.strip_prefix("    ") {
            Some(message) => _ = lines.insert((path.to_owned(), message.to_owned())),
            None => path = line,
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, expected: &[(usize, &str)]) {
        let messages = of(code).unwrap();
        let found: Vec<_> = messages.iter().map(|found| (found.line, &found.text[..])).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_string_with_two_words_in_a_row_is_a_message() {
        check(
            r#"fn f() { g("no leader", "--flag", "{a b} of {c}", "two"); }"#,
            &[(1, "no leader")],
        );
        check("const A: &str = \"one \\\n  line\";", &[(1, "one line")]);
        check(r#"fn f() { naked_asm!("mov eax") }"#, &[]);
    }

    #[test]
    fn a_doc_comment_is_a_message_where_clap_shows_it() {
        let item = "struct A {\n/// The\n/// size\n///\n/// in MiB\nb: u8,\n}";
        check(&format!("/// No help\n{item}"), &[]);
        check(
            &format!("/// It helps\n#[derive(Parser)]\n{item}"),
            &[(1, "It helps"), (4, "The size"), (7, "in MiB")],
        );
    }

    #[test]
    fn attributes_count_where_people_read_them() {
        check(
            r#"#[error("it is lost")] struct A; #[cfg(feature = "a b")] struct B;"#,
            &[(1, "it is lost")],
        );
    }

    #[test]
    fn tests_are_left_out() {
        let code =
            r#"#[cfg(test)] mod tests { fn f() { g("not here") } } fn h() { g("but here") }"#;
        check(code, &[(1, "but here")]);
    }

    #[test]
    fn a_list_lacks_and_has_too_much() {
        let message = |text: &str| Message { text: text.to_owned(), line: 1 };
        let of = |texts: &[&str]| {
            Messages::from([("a.rs".to_owned(), texts.iter().map(|text| message(text)).collect())])
        };
        let list = render(&of(&["one two", "two\nthree"]));
        assert_eq!(compare(&list, &of(&["one two", "two\nthree"])), []);
        let problems = compare(&list, &of(&["one two", "four five"]));
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "a.rs: not in wording/messages.txt: four five\n  read it once more, then run \
                 `cargo wording --accept`",
                "a.rs: only in wording/messages.txt: two\\nthree\n  run `cargo wording --accept`",
            ]
        );
    }
}
