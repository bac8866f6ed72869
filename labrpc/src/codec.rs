//! Encodes values as bytes and decodes them: the only file that knows the encoding.
//!
//! The encoding is bincode 2 in its standard configuration: little-endian, integers of one to nine
//! bytes by size, strings and vectors with their length in front. A value of no bytes (the unit
//! type, an empty struct) is valid.
//!
//! It has the role of 6.824's `labgob`. Calls encode and decode on their own; a Raft needs this
//! module for what it saves.
//!
//! ```
//! use labrpc::codec;
//!
//! let (current_term, voted_for) = (3_u64, Some(1_usize));
//! let saved = codec::encode(&(current_term, voted_for)).unwrap();
//! let (term, vote): (u64, Option<usize>) = codec::decode(&saved).unwrap();
//! assert_eq!((term, vote), (current_term, voted_for));
//! assert!(codec::decode::<u64>(&saved).is_err(), "not all bytes were used");
//! ```

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The largest message that can be decoded, in bytes. A longer length field is an error, not an
/// allocation.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;

const ENCODING: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<MESSAGE_BYTES_MAX>,
> = bincode::config::standard().with_limit::<MESSAGE_BYTES_MAX>();

/// Why a value could not be encoded or decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CodecError {
    /// The value has no encoding, for example a map of unknown length.
    #[error("the value cannot be encoded: {0}")]
    Encode(String),
    /// The bytes are not a value of the requested type.
    #[error("the bytes are not a {type_name}: {why}")]
    Decode {
        /// The requested Rust type.
        type_name: Cow<'static, str>,
        /// The decoder's message.
        why: String,
    },
}

/// The bytes of `value`.
///
/// # Errors
/// [`CodecError::Encode`] if the value has no encoding.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CodecError> {
    bincode::serde::encode_to_vec(value, ENCODING).map_err(|e| CodecError::Encode(e.to_string()))
}

/// The value that `bytes` encode; every byte must be used.
///
/// # Errors
/// [`CodecError::Decode`] if the bytes are not a `T`, or if some are left over.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let failed =
        |why: String| CodecError::Decode { type_name: std::any::type_name::<T>().into(), why };
    let (value, used) =
        bincode::serde::decode_from_slice(bytes, ENCODING).map_err(|e| failed(e.to_string()))?;
    if used == bytes.len() {
        Ok(value)
    } else {
        Err(failed(format!("{} of {} bytes are left over", bytes.len() - used, bytes.len())))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Nested {
        numbers: Vec<i64>,
        map: BTreeMap<String, Option<Box<Nested>>>,
        pair: (u64, String),
    }

    /// labgob's TestGOB: nested structs, slices, maps and pointers survive the round trip.
    #[test]
    fn nested_values_survive_the_round_trip() {
        let inner = Nested { numbers: vec![], map: BTreeMap::new(), pair: (0, String::new()) };
        let outer = Nested {
            numbers: vec![i64::MIN, -1, 0, i64::MAX],
            map: BTreeMap::from([("some".into(), Some(Box::new(inner))), ("none".into(), None)]),
            pair: (u64::MAX, "näher".into()),
        };
        assert_eq!(decode::<Nested>(&encode(&outer).unwrap()).unwrap(), outer);
    }

    #[test]
    fn left_over_bytes_are_an_error() {
        let error = decode::<u8>(&[7, 8]).unwrap_err();
        assert_eq!(error.to_string(), "the bytes are not a u8: 1 of 2 bytes are left over");
    }

    #[test]
    fn a_length_beyond_the_limit_is_an_error_and_no_allocation() {
        let claims_an_exabyte = encode(&(1_u64 << 60)).unwrap();
        assert!(decode::<Vec<u8>>(&claims_an_exabyte).is_err());
    }
}
