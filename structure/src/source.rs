//! Reads one source file into plain data, without its tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

use crate::error::Error;
use crate::scope::Scope;
use crate::{names, untested};

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Source {
    /// The content of the file's own module.
    pub(crate) scope: Scope,
    /// Lines with the keyword `unsafe`, in tests too.
    pub(crate) unsafe_lines: Vec<usize>,
    /// Lines with code, without tests, comments and blank lines.
    pub(crate) code_lines: usize,
}

impl Source {
    /// Reads the file at `path` below `root`.
    pub(crate) fn read(root: &Path, path: &str) -> Result<Source, Error> {
        let text = fs::read_to_string(root.join(path))
            .map_err(|error| Error::Read { path: path.to_owned(), error })?;
        Source::parse(path, &text)
    }

    /// Parses `text`, the content of the file at `path`.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Source, Error> {
        let unparsable = |error: &dyn std::fmt::Display| Error::Parse {
            path: path.to_owned(),
            error: error.to_string(),
        };
        let tokens: TokenStream = text.parse().map_err(|error| unparsable(&error))?;
        let mut unsafe_lines = Vec::new();
        find_unsafe(&tokens, &mut unsafe_lines);
        let mut file: syn::File = syn::parse2(tokens).map_err(|error| unparsable(&error))?;
        untested::strip(&mut file);
        let mut lines = BTreeSet::new();
        add_lines(file.to_token_stream(), &mut lines);
        Ok(Source { scope: names::of(&file), unsafe_lines, code_lines: lines.len() })
    }
}

fn find_unsafe(tokens: &TokenStream, lines: &mut Vec<usize>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => find_unsafe(&group.stream(), lines),
            TokenTree::Ident(ident) if ident == "unsafe" => lines.push(ident.span().start().line),
            _ => {}
        }
    }
}

fn add_lines(tokens: TokenStream, lines: &mut BTreeSet<usize>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                lines.insert(group.span_open().start().line);
                lines.insert(group.span_close().start().line);
                add_lines(group.stream(), lines);
            }
            TokenTree::Literal(literal) => {
                lines.extend(literal.span().start().line..=literal.span().end().line);
            }
            other => {
                lines.insert(other.span().start().line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_code_are_without_comments_and_tests() {
        let text = "//! Doc.\n\n// A comment.\n/// Doc.\nfn f() {\n // Why.\n g(\"a\n b\");\n}\n\
                    #[cfg(test)]\nmod tests {\n    fn t() {}\n}\n";
        assert_eq!(Source::parse("a.rs", text).unwrap().code_lines, 4);
    }

    #[test]
    fn unsafe_is_found_as_a_keyword_only() {
        let text = "// unsafe\n#![forbid(unsafe_code)]\nfn f() { g(\"unsafe\") }\n\
                    unsafe fn g() {}\nm! { unsafe {} }\n";
        assert_eq!(Source::parse("a.rs", text).unwrap().unsafe_lines, [4, 5]);
    }

    #[test]
    fn what_does_not_parse_is_named() {
        let error = Source::parse("a.rs", "fn {").unwrap_err().to_string();
        assert!(error.starts_with("failed to parse a.rs: "), "{error}");
    }
}
