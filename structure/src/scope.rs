//! The declarations, imports and names of a module, as plain data.
//!
//! A span of `proc_macro2` is valid only in the thread that parsed it. Plain data can be read in
//! many threads and compared in one.

use std::collections::BTreeSet;

/// A module: a file, or a `mod name { .. }` in one.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// Empty for the module of a file.
    pub(crate) name: String,
    /// `use` declarations, one for each name, including those within functions.
    pub(crate) imports: Vec<Import>,
    /// Names of functions, types, constants and macros.
    pub(crate) items: BTreeSet<String>,
    /// Paths in expressions, types, patterns, attributes and macros.
    pub(crate) paths: Vec<Named>,
    /// String literals.
    pub(crate) strings: Vec<Text>,
    /// `mod name { .. }`.
    pub(crate) inline: Vec<Scope>,
    /// `mod name;`.
    pub(crate) declared: Vec<Declared>,
}

/// One name that a `use` declaration brings in.
#[derive(Debug, PartialEq)]
pub(crate) struct Import {
    /// The full path.
    pub(crate) path: Vec<String>,
    /// The name here; `None` for `*`.
    pub(crate) bound: Option<String>,
    /// Whether the path begins with `::`.
    pub(crate) is_global: bool,
    /// Whether the declaration has a visibility. A re-export alone is not a dependency.
    pub(crate) is_reexport: bool,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// A path in the code.
#[derive(Debug, PartialEq)]
pub(crate) struct Named {
    /// The full path, as written.
    pub(crate) path: Vec<String>,
    /// Whether the path begins with `::`.
    pub(crate) is_global: bool,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// A string literal.
#[derive(Debug)]
pub(crate) struct Text {
    /// Without quotes and escapes.
    pub(crate) value: String,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// A module in its own file.
#[derive(Debug)]
pub(crate) struct Declared {
    /// The module's name.
    pub(crate) name: String,
    /// The value of `#[path = ".."]`.
    pub(crate) at: Option<String>,
}

impl Scope {
    /// This module and all inline modules in it.
    pub(crate) fn all(&self) -> Vec<&Scope> {
        let mut all = vec![self];
        all.extend(self.inline.iter().flat_map(Scope::all));
        all
    }
}
