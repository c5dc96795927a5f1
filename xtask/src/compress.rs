//! Compressed siblings (`x.js.br`, `x.js.gz`) for a static file server to choose from, made once at build time: the
//! phone in a tunnel gets the smallest there is, and the server spends no time on it.

use std::{collections::BTreeMap, io::Write, path::Path};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};

/// What is worth compressing; images are compressed already.
const KINDS: [&str; 8] = ["js", "wasm", "css", "svg", "json", "webmanifest", "html", "txt"];

/// The endings of the siblings. Gzip is there because browsers offer no brotli on plain http.
pub(crate) const ENDINGS: [&str; 2] = ["br", "gz"];

/// Whether a file of this name gets siblings.
pub(crate) fn applies_to(path: &str) -> bool {
    Path::new(path).extension().and_then(|kind| kind.to_str()).is_some_and(|kind| KINDS.contains(&kind))
}

/// The siblings of a file, by their endings, each as small as its format allows.
pub(crate) fn siblings(bytes: &[u8]) -> Result<BTreeMap<&'static str, Vec<u8>>> {
    Ok(BTreeMap::from([
        ("br", brotli(bytes).context("cannot compress with brotli")?),
        ("gz", gzip(bytes).context("cannot compress with gzip")?),
    ]))
}

fn brotli(mut bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let strongest = BrotliEncoderParams { quality: 11, size_hint: bytes.len(), ..BrotliEncoderParams::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut bytes, &mut compressed, &strongest)?;
    Ok(compressed)
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::{ENDINGS, applies_to, siblings};
    use std::io::Read;

    #[test]
    fn every_sibling_unpacks_to_the_file_it_stands_for() {
        let bytes = "the target does not answer; ".repeat(2000).into_bytes();
        let siblings = siblings(&bytes).unwrap();
        assert_eq!(siblings.keys().copied().collect::<Vec<_>>(), ENDINGS);
        let (mut from_br, mut from_gz) = (Vec::new(), Vec::new());
        brotli::Decompressor::new(&siblings["br"][..], 4096).read_to_end(&mut from_br).unwrap();
        flate2::read::GzDecoder::new(&siblings["gz"][..]).read_to_end(&mut from_gz).unwrap();
        assert!(from_br == bytes && from_gz == bytes);
    }

    #[test]
    fn images_are_left_alone() {
        assert!(applies_to("pkg/breakglass.0a1b.wasm") && applies_to("manifest.webmanifest"));
        assert!(!applies_to("icon.png") && !applies_to("LICENSE"));
    }
}
