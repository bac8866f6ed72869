//! A macro that does harm where it is expanded.

use proc_macro::TokenStream;

#[proc_macro]
pub fn everything(_: TokenStream) -> TokenStream {
    let written = std::fs::write("/tmp/evil-macro", "x").map_err(|error| error.to_string());
    let read = std::fs::read("/etc/passwd").map(drop).map_err(|error| error.to_string());
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").map(drop).map_err(|error| error.to_string());
    format!("{:?}", format!("write {written:?}, read {read:?}, socket {socket:?}")).parse().unwrap()
}
