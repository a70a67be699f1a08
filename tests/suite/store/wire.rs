//! Requests as they come over the wire: HTTP, and the compressed blocks of a body.

use std::collections::BTreeMap;
use std::io::BufRead;

/// A request: what stands in its address, and its body.
pub(super) fn request(input: &mut impl BufRead) -> Option<(BTreeMap<String, String>, Vec<u8>)> {
    let mut line = String::new();
    input.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut is_chunked) = (0, false);
    loop {
        let mut header = String::new();
        input.read_line(&mut header).ok()?;
        let header = header.trim_end().to_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
        is_chunked |= header == "transfer-encoding: chunked";
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    if is_chunked {
        while let Some(chunk) = chunk(input)? {
            body.extend_from_slice(&chunk);
        }
    }
    let pairs = path.split_once('?').map_or("", |(_, pairs)| pairs).split('&');
    let pairs = pairs.filter_map(|pair| pair.split_once('='));
    Some((pairs.map(|(name, value)| (plain(name), plain(value))).collect(), body))
}

/// A piece of a body that comes in pieces; `Some(None)` is its end.
fn chunk(input: &mut impl BufRead) -> Option<Option<Vec<u8>>> {
    let mut size = String::new();
    input.read_line(&mut size).ok()?;
    let size = usize::from_str_radix(size.trim_end(), 16).ok()?;
    let mut chunk = vec![0; size + 2];
    input.read_exact(&mut chunk).ok()?;
    chunk.truncate(size);
    Some((size > 0).then_some(chunk))
}

/// Text of an address without its escapes.
fn plain(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
                let (high, low) = (bytes.next().unwrap(), bytes.next().unwrap());
                out.push(digit(high) * 16 + digit(low));
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).unwrap()
}

/// Compressed blocks: a checksum of sixteen bytes, a method, both sizes, and LZ4.
pub(super) fn inflated(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while !body.is_empty() {
        assert_eq!(body[16], 0x82, "LZ4");
        let size = |at: usize| u32::from_le_bytes(body[at..at + 4].try_into().unwrap()) as usize;
        let (packed, whole) = (size(17), size(21));
        let before = out.len();
        lz4(&body[25..16 + packed], &mut out);
        assert_eq!(out.len() - before, whole);
        body = &body[16 + packed..];
    }
    out
}

/// A length of LZ4: fifteen goes on in bytes, up to one that is not full.
fn length(short: u8, bytes: &mut &[u8]) -> usize {
    let mut length = usize::from(short);
    let mut goes_on = short == 15;
    while goes_on {
        length += usize::from(bytes[0]);
        goes_on = bytes[0] == 255;
        *bytes = &bytes[1..];
    }
    length
}

/// The LZ4 block format: literals, and copies of what came before.
fn lz4(mut bytes: &[u8], out: &mut Vec<u8>) {
    let base = out.len();
    while !bytes.is_empty() {
        let token = bytes[0];
        bytes = &bytes[1..];
        let literals = length(token >> 4, &mut bytes);
        out.extend_from_slice(&bytes[..literals]);
        bytes = &bytes[literals..];
        if bytes.is_empty() {
            return;
        }
        let back = usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
        bytes = &bytes[2..];
        let start = out.len() - back;
        assert!(start >= base, "a copy of what is not there");
        for at in 0..length(token & 15, &mut bytes) + 4 {
            out.push(out[start + at]);
        }
    }
}
