//! Removes tests and doc comments from a syntax tree, so that later steps do not see them.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Item, Meta, Stmt, Token, punctuated::Punctuated};

/// Removes everything that is compiled only for tests, and all doc comments.
pub(crate) fn strip(file: &mut syn::File) {
    if is_test(&file.attrs) {
        file.items.clear();
    }
    Strip.visit_file_mut(file);
}

struct Strip;

impl VisitMut for Strip {
    fn visit_file_mut(&mut self, file: &mut syn::File) {
        file.items.retain(|item| !is_test(attributes(item)));
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        if let Some((_, items)) = &mut module.content {
            items.retain(|item| !is_test(attributes(item)));
        }
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_item_impl_mut(&mut self, block: &mut syn::ItemImpl) {
        block.items.retain(|item| match item {
            syn::ImplItem::Const(item) => !is_test(&item.attrs),
            syn::ImplItem::Fn(item) => !is_test(&item.attrs),
            syn::ImplItem::Type(item) => !is_test(&item.attrs),
            syn::ImplItem::Macro(item) => !is_test(&item.attrs),
            _ => true,
        });
        visit_mut::visit_item_impl_mut(self, block);
    }

    fn visit_item_trait_mut(&mut self, item: &mut syn::ItemTrait) {
        item.items.retain(|item| match item {
            syn::TraitItem::Fn(item) => !is_test(&item.attrs),
            syn::TraitItem::Const(item) => !is_test(&item.attrs),
            _ => true,
        });
        visit_mut::visit_item_trait_mut(self, item);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        block.stmts.retain(|statement| match statement {
            Stmt::Local(local) => !is_test(&local.attrs),
            Stmt::Item(item) => !is_test(attributes(item)),
            Stmt::Macro(call) => !is_test(&call.attrs),
            Stmt::Expr(syn::Expr::Block(block), _) => !is_test(&block.attrs),
            Stmt::Expr(..) => true,
        });
        visit_mut::visit_block_mut(self, block);
    }

    fn visit_fields_named_mut(&mut self, fields: &mut syn::FieldsNamed) {
        let kept = std::mem::take(&mut fields.named).into_iter();
        fields.named = kept.filter(|field| !is_test(&field.attrs)).collect();
        visit_mut::visit_fields_named_mut(self, fields);
    }

    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        attributes.retain(|attribute| !attribute.path().is_ident("doc"));
    }
}

/// Whether one of the attributes removes the item from all builds except those of tests.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => implies_test(list.tokens.clone()),
        _ => false,
    })
}

fn implies_test(predicate: TokenStream) -> bool {
    let Ok(meta) = syn::parse2::<Meta>(predicate) else { return false };
    match meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => parts(&list).any(implies_test),
        Meta::List(list) if list.path.is_ident("any") => {
            let mut parts = parts(&list).peekable();
            parts.peek().is_some() && parts.all(implies_test)
        }
        _ => false,
    }
}

/// The predicates of `all(..)` or `any(..)`.
fn parts(list: &syn::MetaList) -> impl Iterator<Item = TokenStream> {
    let parts = list.parse_args_with(Punctuated::<TokenTrees, Token![,]>::parse_terminated);
    parts.unwrap_or_default().into_iter().map(|part| part.0)
}

/// All tokens up to the next comma.
struct TokenTrees(TokenStream);

impl syn::parse::Parse for TokenTrees {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<TokenTrees> {
        let mut tokens = Vec::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            tokens.push(input.parse::<TokenTree>()?);
        }
        Ok(TokenTrees(tokens.into_iter().collect()))
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cfg: &str, expected: bool) {
        assert_eq!(implies_test(cfg.parse().unwrap()), expected, "{cfg}");
    }

    #[test]
    fn a_predicate_is_for_tests_if_it_is_false_in_every_other_build() {
        check("test", true);
        check("all(unix, test)", true);
        check("any(test, all(test, unix))", true);
        check("any(test, not(target_os = \"linux\"))", false);
        check("any()", false);
        check("not(test)", false);
        check("unix", false);
        check("feature = \"test\"", false);
    }

    #[test]
    fn tests_are_removed_wherever_they_are() {
        let text = "
            /// Doc.
            fn kept() { #[cfg(test)] let x = 1; #[cfg(test)] { gone() } kept() }
            #[test] fn gone() {}
            #[cfg(test)] use gone::x;
            #[cfg(test)] mod gone;
            mod inner { #[cfg(test)] fn gone() {} }
            struct S { #[cfg(test)] gone: u8, kept: u8 }
            impl S { #[cfg(test)] fn gone() {} fn kept() {} }
            trait T { #[cfg(test)] fn gone(); fn kept(); }";
        let mut file = syn::parse_file(text).unwrap();
        strip(&mut file);
        let expected = "
            fn kept() { kept() }
            mod inner { }
            struct S { kept: u8 }
            impl S { fn kept() {} }
            trait T { fn kept(); }";
        let shown = |file: &syn::File| quote::ToTokens::to_token_stream(file).to_string();
        assert_eq!(shown(&file), shown(&syn::parse_file(expected).unwrap()));
    }
}
