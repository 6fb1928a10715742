//! Changes to inputs, for where libFuzzer is not: the same seed makes the same inputs.

use cairn_testkit::Rng;

/// Numbers at which decoders go wrong.
const EDGES: [u64; 9] = [
    0,
    1,
    0x7f,
    0xff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 57,
    u64::MAX,
];

/// An input that is one of `samples` after a few changes.
pub fn mutate(rng: &mut Rng, samples: &[Vec<u8>]) -> Vec<u8> {
    let mut input = rng.pick(samples).clone();
    for _ in 0..=rng.below(4) {
        change(rng, &mut input, samples);
    }
    input
}

fn change(rng: &mut Rng, input: &mut Vec<u8>, samples: &[Vec<u8>]) {
    let at = rng.index(input.len() + 1);
    match rng.below(7) {
        0 => input.truncate(at),
        1 => input.insert(at, low_byte(rng.next_u64())),
        2 => write_edge(rng, input, at),
        3 => repeat(rng, input, at),
        4 => splice(input, at, rng.pick::<Vec<u8>>(samples)),
        _ if at < input.len() => input[at] ^= 1 << rng.below(8),
        _ => {}
    }
}

/// Puts a number at which decoders go wrong over one, two, four or eight bytes.
fn write_edge(rng: &mut Rng, input: &mut [u8], at: usize) {
    let edge = *rng.pick(&EDGES);
    let (little, big) = (edge.to_le_bytes(), edge.to_be_bytes());
    let width = 1 << rng.below(4);
    let bytes = match rng.below(2) {
        0 => &little[..width],
        _ => &big[8 - width..],
    };
    for (to, from) in input[at..].iter_mut().zip(bytes) {
        *to = *from;
    }
}

/// Says a stretch of up to 64 bytes twice.
fn repeat(rng: &mut Rng, input: &mut Vec<u8>, at: usize) {
    let end = input.len().min(at + 1 + rng.index(64));
    let stretch = input[at.min(end)..end].to_vec();
    input.splice(at..at, stretch);
}

/// Goes on as another sample does.
fn splice(input: &mut Vec<u8>, at: usize, other: &[u8]) {
    input.truncate(at);
    input.extend(other.get(at..).unwrap_or_default());
}

fn low_byte(n: u64) -> u8 {
    n.to_le_bytes()[0]
}
