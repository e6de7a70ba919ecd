//! HMAC with SHA-1, for hubs that sign with nothing else. Not for anything that must be secret.
//!
//! Source: RFC 3174 and RFC 2104.

const BLOCK_BYTES: usize = 64;

/// The signature of `body` under `secret`.
pub(crate) fn hmac(secret: &[u8], body: &[u8]) -> [u8; 20] {
    let mut key = [0; BLOCK_BYTES];
    let hashed;
    let secret = if secret.len() > BLOCK_BYTES {
        hashed = digest(&[secret]);
        &hashed[..]
    } else {
        secret
    };
    for (place, byte) in key.iter_mut().zip(secret) {
        *place = *byte;
    }
    let inner = digest(&[&key.map(|byte| byte ^ 0x36), body]);
    digest(&[&key.map(|byte| byte ^ 0x5c), &inner])
}

fn digest(parts: &[&[u8]]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut message: Vec<u8> = parts.concat();
    let bits = (message.len() as u64).wrapping_mul(8);
    message.push(0x80);
    while message.len() % BLOCK_BYTES != BLOCK_BYTES - 8 {
        message.push(0);
    }
    message.extend_from_slice(&bits.to_be_bytes());
    for block in message.as_chunks::<BLOCK_BYTES>().0 {
        state = round(state, block);
    }
    let mut out = [0; 20];
    for (place, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    out
}

fn round(state: [u32; 5], block: &[u8; BLOCK_BYTES]) -> [u32; 5] {
    let mut words: Vec<u32> =
        block.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word)).collect();
    for at in 16..80 {
        let back = |by: usize| words.get(at - by).copied().unwrap_or(0);
        words.push((back(3) ^ back(8) ^ back(14) ^ back(16)).rotate_left(1));
    }
    let [mut a, mut b, mut c, mut d, mut e] = state;
    for (at, word) in words.into_iter().enumerate() {
        let (mixed, constant) = match at {
            0..20 => ((b & c) | (!b & d), 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let next = a
            .rotate_left(5)
            .wrapping_add(mixed)
            .wrapping_add(e)
            .wrapping_add(constant)
            .wrapping_add(word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    let [f, g, h, i, j] = state;
    [f.wrapping_add(a), g.wrapping_add(b), h.wrapping_add(c), i.wrapping_add(d), j.wrapping_add(e)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        let hex = |bytes: [u8; 20]| bytes.map(|byte| format!("{byte:02x}")).concat();
        // Source: RFC 3174 §7.3, RFC 2202 §3.
        assert_eq!(hex(digest(&[b"abc"])), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(digest(&[])), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(hex(hmac(&[0x0b; 20], b"Hi There")), "b617318655057264e28bc0b6fb378c8ef146be00");
        let long = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(hex(hmac(&[0xaa; 80], long)), "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    }
}
