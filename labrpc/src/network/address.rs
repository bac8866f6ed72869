//! A server's place on a network: its name, looked up once.
//!
//! Ends, links and calls refer to servers by address, so no name is compared on the path of a call.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::load::UnderWay;
use super::name::Name;

/// A server's place on a network, whether or not a server is there now.
#[derive(Debug)]
pub(crate) struct Address {
    /// Counts the addresses of one network, from 0.
    pub(crate) index: usize,
    pub(crate) name: Name,
    pub(crate) under_way: UnderWay,
}

/// All addresses of a network.
#[derive(Default)]
pub(crate) struct Addresses {
    by_name: BTreeMap<Name, Arc<Address>>,
}

impl Addresses {
    /// The address of that name, made now if it is new.
    pub(crate) fn resolve(&mut self, name: &Name) -> Arc<Address> {
        if let Some(known) = self.by_name.get(name) {
            return Arc::clone(known);
        }
        let (index, under_way) = (self.by_name.len(), UnderWay::default());
        let new = Arc::new(Address { index, name: name.clone(), under_way });
        self.by_name.insert(name.clone(), Arc::clone(&new));
        new
    }

    /// The address of that name, if it was ever made.
    pub(crate) fn find(&self, name: &Name) -> Option<&Address> {
        self.by_name.get(name).map(|address| &**address)
    }
}
