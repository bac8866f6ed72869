//! Collects the names in a syntax tree: imports, paths, string literals, modules.

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Item, Lit, Meta, UseTree, Visibility};

use crate::scope::{Declared, Import, Named, Scope, Text};

/// The names in `file`.
pub(crate) fn of(file: &syn::File) -> Scope {
    let mut reader = Reader { scope: Scope::default() };
    reader.visit_file(file);
    reader.scope
}

struct Reader {
    scope: Scope,
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let name = match item {
            Item::Const(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            Item::Macro(item) => item.ident.as_ref(),
            Item::Static(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::TraitAlias(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        self.scope.items.extend(name.map(ToString::to_string));
        visit::visit_item(self, item);
    }

    fn visit_foreign_item_fn(&mut self, item: &'ast syn::ForeignItemFn) {
        self.scope.items.insert(item.sig.ident.to_string());
        visit::visit_foreign_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let name = module.ident.to_string();
        let Some((_, items)) = &module.content else {
            self.scope.declared.push(Declared { name, at: path_attribute(&module.attrs) });
            return;
        };
        let outer = std::mem::replace(&mut self.scope, Scope { name, ..Scope::default() });
        for item in items {
            self.visit_item(item);
        }
        let inner = std::mem::replace(&mut self.scope, outer);
        self.scope.inline.push(inner);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let import = Import {
            path: Vec::new(),
            bound: None,
            is_global: item.leading_colon.is_some(),
            is_reexport: !matches!(item.vis, Visibility::Inherited),
            line: 0,
        };
        flatten(&item.tree, &import, &mut self.scope.imports);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let bound = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
        self.scope.imports.push(Import {
            path: vec![item.ident.to_string()],
            bound: Some(bound.to_string()),
            is_global: true,
            is_reexport: !matches!(item.vis, Visibility::Inherited),
            line: item.span().start().line,
        });
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.scope.paths.push(named(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.scan(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        match &attribute.meta {
            Meta::List(list) => {
                self.scan_attribute(list.tokens.clone());
                self.scan(list.tokens.clone());
            }
            other => visit::visit_meta(self, other),
        }
    }

    // `pub(in path)` is not an import.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_lit(&mut self, literal: &'ast Lit) {
        let (value, span) = match literal {
            Lit::Str(text) => (text.value(), text.span()),
            Lit::ByteStr(text) => (lossy(&text.value()), text.span()),
            Lit::CStr(text) => (lossy(text.value().as_bytes()), text.span()),
            _ => return,
        };
        self.scope.strings.push(Text { value, line: span.start().line });
    }
}

impl Reader {
    /// Finds paths and string literals in the tokens of a macro.
    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.scan(group.stream()),
                TokenTree::Literal(literal) => self.visit_lit(&Lit::new(literal.clone())),
                TokenTree::Ident(ident) => {
                    let (path, end) = path_at(&tokens, at);
                    let is_global = is_colons(&tokens, at.wrapping_sub(2));
                    let is_member = at > 0 && is_punct(&tokens[at - 1], '.');
                    if !is_member {
                        let line = ident.span().start().line;
                        self.scope.paths.push(Named { path, is_global, line });
                    }
                    at = end;
                    continue;
                }
                TokenTree::Punct(_) => {}
            }
            at += 1;
        }
    }

    /// Finds paths in an attribute's strings, as in `#[serde(with = "crate::text")]`.
    fn scan_attribute(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.scan_attribute(group.stream()),
                TokenTree::Literal(literal) => {
                    let Lit::Str(text) = Lit::new(literal) else { continue };
                    if let Ok(path) = text.parse::<syn::Path>() {
                        let line = text.span().start().line;
                        self.scope.paths.push(Named { line, ..named(&path) });
                    }
                }
                _ => {}
            }
        }
    }
}

fn named(path: &syn::Path) -> Named {
    Named {
        path: path.segments.iter().map(|segment| segment.ident.to_string()).collect(),
        is_global: path.leading_colon.is_some(),
        line: path.span().start().line,
    }
}

/// Adds one import for each leaf of `tree`; `prefix` has the path up to here.
fn flatten(tree: &UseTree, prefix: &Import, into: &mut Vec<Import>) {
    let mut leaf = |name: Option<&syn::Ident>, bound: Option<String>, line: usize| {
        let mut path = prefix.path.clone();
        let name = name.filter(|name| *name != "self" || path.is_empty());
        path.extend(name.map(ToString::to_string));
        let bound = bound.map(|bound| match path.last() {
            Some(last) if bound == "self" => last.clone(),
            _ => bound,
        });
        into.push(Import { path, bound, line, ..*prefix });
    };
    match tree {
        UseTree::Path(tree) => {
            let mut path = prefix.path.clone();
            path.push(tree.ident.to_string());
            flatten(&tree.tree, &Import { path, bound: None, ..*prefix }, into);
        }
        UseTree::Name(tree) => {
            leaf(Some(&tree.ident), Some(tree.ident.to_string()), tree.ident.span().start().line);
        }
        UseTree::Rename(tree) => {
            leaf(Some(&tree.ident), Some(tree.rename.to_string()), tree.span().start().line);
        }
        UseTree::Glob(tree) => leaf(None, None, tree.span().start().line),
        UseTree::Group(tree) => {
            for tree in &tree.items {
                flatten(tree, prefix, into);
            }
        }
    }
}

/// The path that begins with the identifier at `at`, and the place after it.
fn path_at(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut path = vec![tokens[at].to_string()];
    at += 1;
    while is_colons(tokens, at)
        && let Some(TokenTree::Ident(next)) = tokens.get(at + 2)
    {
        path.push(next.to_string());
        at += 3;
    }
    (path, at)
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |at: usize| tokens.get(at).is_some_and(|token| is_punct(token, ':'));
    is_colon(at) && is_colon(at.wrapping_add(1))
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        of(&syn::parse_file(text).unwrap())
    }

    #[track_caller]
    fn check_imports(text: &str, expected: &[(&str, Option<&str>)]) {
        let scope = scope(text);
        let found: Vec<_> =
            scope.imports.iter().map(|i| (i.path.join("::"), i.bound.as_deref())).collect();
        let expected: Vec<_> =
            expected.iter().map(|(path, bound)| ((*path).to_owned(), *bound)).collect();
        assert_eq!(found, expected);
    }

    #[track_caller]
    fn check_paths(text: &str, expected: &[&str]) {
        let found: Vec<_> = scope(text).paths.iter().map(|named| named.path.join("::")).collect();
        for wanted in expected {
            assert!(found.iter().any(|path| path == wanted), "{wanted} is not in {found:?}");
        }
    }

    #[test]
    fn a_use_declaration_is_an_import_for_each_name() {
        check_imports(
            "use crate::a::{self, b::C, d as e, f::*};",
            &[
                ("crate::a", Some("a")),
                ("crate::a::b::C", Some("C")),
                ("crate::a::d", Some("e")),
                ("crate::a::f", None),
            ],
        );
        check_imports("fn f() { use super::X; }", &[("super::X", Some("X"))]);
        check_imports("extern crate alloc as a;", &[("alloc", Some("a"))]);
    }

    #[test]
    fn paths_are_found_in_types_expressions_patterns_attributes_and_macros() {
        check_paths("fn f(x: &crate::a::T<b::U>) {}", &["crate::a::T", "b::U"]);
        check_paths("fn f() { crate::a::g(|c::V(x)| ()) }", &["crate::a::g", "c::V"]);
        check_paths("fn f() { m!(x, g(crate::a::h())); n::m!() }", &["crate::a::h", "n::m"]);
        check_paths("#[serde(with = \"crate::text\")] struct S;", &["crate::text"]);
        check_paths("impl a::T for b::S {}", &["a::T", "b::S"]);
        check_paths("fn f() { <a::X as b::Y>::z() }", &["a::X", "b::Y::z"]);
    }

    #[test]
    fn members_and_visibilities_are_no_paths() {
        let scope = scope("pub(in crate::a) fn f() { m!(x.y) }");
        assert!(scope.paths.iter().all(|named| !["a", "y"].contains(&&*named.path[0])));
        assert!(scope.paths.iter().all(|named| named.path.len() == 1));
    }

    #[test]
    fn strings_are_found_in_macros_too() {
        let scope = scope("fn f() { g(\"a\"); m!(\"b\", b\"c\") }");
        let values: Vec<_> = scope.strings.iter().map(|text| text.value.as_str()).collect();
        assert_eq!(values, ["a", "b", "c"]);
    }
}
