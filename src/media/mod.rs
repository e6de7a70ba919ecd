//! Files by their address, brought into a form that a service takes.
//!
//! A medium goes down a ladder (`ladder`): by its address → our copy of it → a converted copy → as
//! a plain file → as a link, which nobody can refuse. What a file is, is read from its bytes
//! (`sniff`); whatever its address, its name or its server say, counts for nothing.
//!
//! Refuses to know services' calls (`channel`), and opens no socket: addresses that others chose
//! are read through the one guarded client, which `daemon` hands in ([`download::Fetch`]).

pub mod ladder;

pub mod sniff;

pub mod convert;

pub mod download;

use sha2::{Digest, Sha256};

use crate::model::media::{Form, MediaKey};

/// The name of what stands at an address.
pub fn key_of_address(form: Form, url: &str) -> MediaKey {
    key(b"address", form, url.as_bytes())
}

/// The name of bytes, wherever they come from.
pub fn key_of_bytes(form: Form, bytes: &[u8]) -> MediaKey {
    key(b"bytes", form, bytes)
}

/// The name of a small copy of the picture at an address.
pub fn key_of_thumbnail(url: &str) -> MediaKey {
    key(b"thumbnail", Form::Picture, url.as_bytes())
}

/// The name of a picture that can only be shown where it stands.
pub fn key_of_shown(url: &str) -> MediaKey {
    key(b"shown", Form::Picture, url.as_bytes())
}

fn key(what: &[u8], form: Form, of: &[u8]) -> MediaKey {
    let form = match form {
        Form::Picture => 0,
        Form::Animation => 1,
        Form::Video => 2,
        Form::Sound => 3,
        Form::File => 4,
    };
    let hash = Sha256::new().chain_update(what).chain_update([form]).chain_update(of).finalize();
    let mut key = [0; 16];
    key.copy_from_slice(&hash[..16]);
    MediaKey(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_form_and_origin_apart() {
        let url = "https://example.com/a.jpg";
        let keys = [
            key_of_address(Form::Picture, url),
            key_of_address(Form::File, url),
            key_of_bytes(Form::Picture, url.as_bytes()),
            key_of_address(Form::Picture, "https://example.com/b.jpg"),
            key_of_thumbnail(url),
            key_of_shown(url),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(!keys[at + 1..].contains(one), "{at}");
        }
        assert_eq!(keys[0], key_of_address(Form::Picture, url));
    }
}
