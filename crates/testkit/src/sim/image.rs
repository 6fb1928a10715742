//! The bytes of a file, sparse.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// Bytes that are kept or not kept together.
pub(super) const PAGE: u64 = PAGE_LEN as u64;

const PAGE_LEN: usize = 4096;

/// Pages are shared between copies of an image until one of them is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pages: BTreeMap<u64, Arc<[u8; PAGE_LEN]>>,
    len: u64,
}

impl Image {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// How many of the pages in a range hold data.
    pub(super) fn pages_in(&self, range: Range<u64>) -> u64 {
        if range.is_empty() {
            0
        } else {
            self.pages.range(range).count() as u64
        }
    }

    /// Whether a page holds data.
    pub(super) fn has_page(&self, page: u64) -> bool {
        self.pages.contains_key(&page)
    }

    /// Fills `buf`; what was never written is zero.
    pub(super) fn read(&self, buf: &mut [u8], offset: u64) {
        for (part, page, start) in split_mut(buf, offset) {
            match self.pages.get(&page) {
                Some(bytes) => part.copy_from_slice(&bytes[start..start + part.len()]),
                None => part.fill(0),
            }
        }
    }

    pub(super) fn write(&mut self, data: &[u8], offset: u64) {
        let mut rest = data;
        let mut at = offset;
        while !rest.is_empty() {
            let start = in_page(at);
            let (part, later) = rest.split_at(rest.len().min(PAGE_LEN - start));
            let page = self
                .pages
                .entry(at / PAGE)
                .or_insert_with(|| Arc::new([0; PAGE_LEN]));
            Arc::make_mut(page)[start..start + part.len()].copy_from_slice(part);
            at += part.len() as u64;
            rest = later;
        }
        if !data.is_empty() {
            self.len = self.len.max(at);
        }
    }

    /// Makes a range zero; whole pages are no longer kept.
    pub(super) fn punch(&mut self, offset: u64, len: u64) {
        let end = offset.saturating_add(len);
        let whole = whole_pages(offset, end);
        self.forget(whole.clone());
        if whole.is_empty() && offset / PAGE == end.saturating_sub(1) / PAGE {
            self.zero(offset..end);
        } else {
            self.zero(offset..offset.next_multiple_of(PAGE));
            self.zero(end / PAGE * PAGE..end);
        }
    }

    pub(super) fn set_len(&mut self, len: u64) {
        if len < self.len {
            let kept = len.next_multiple_of(PAGE);
            self.forget(kept / PAGE..u64::MAX);
            self.zero(len..kept);
        }
        self.len = len;
    }

    /// Makes the file at least so long.
    pub(super) fn extend_to(&mut self, len: u64) {
        self.len = self.len.max(len);
    }

    /// The first offset from `offset` on that holds data.
    pub(super) fn next_data(&self, offset: u64) -> Option<u64> {
        let (page, _) = self.pages.range(offset / PAGE..).next()?;
        Some(offset.max(page * PAGE)).filter(|found| *found < self.len)
    }

    /// The first offset from `offset` on that holds none.
    pub(super) fn next_hole(&self, offset: u64) -> u64 {
        let mut page = offset / PAGE;
        while self.has_page(page) && page * PAGE < self.len {
            page += 1;
        }
        // The file may end within its last page.
        offset.max((page * PAGE).min(self.len))
    }

    /// Zeros the part of a range that is kept; the range lies within one page.
    fn zero(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        if let Some(page) = self.pages.get_mut(&(range.start / PAGE)) {
            let start = in_page(range.start);
            let len = in_page(range.end - range.start);
            Arc::make_mut(page)[start..start + len].fill(0);
        }
    }

    fn forget(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let mut tail = self.pages.split_off(&range.start);
        let mut kept = tail.split_off(&range.end);
        self.pages.append(&mut kept);
    }
}

/// The pages that a range touches.
pub(super) fn touched_pages(offset: u64, end: u64) -> Range<u64> {
    offset / PAGE..end.div_ceil(PAGE)
}

/// The pages that a range covers from end to end.
pub(super) fn whole_pages(offset: u64, end: u64) -> Range<u64> {
    offset.div_ceil(PAGE)..end / PAGE
}

fn in_page(offset: u64) -> usize {
    usize::try_from(offset % PAGE).expect("below the size of a page")
}

/// Cuts a buffer at page boundaries: the part, its page, and where in the page it starts.
fn split_mut(buf: &mut [u8], offset: u64) -> impl Iterator<Item = (&mut [u8], u64, usize)> {
    let mut rest = buf;
    let mut at = offset;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (page, start) = (at / PAGE, in_page(at));
        let len = rest.len().min(PAGE_LEN - start);
        let (part, later) = std::mem::take(&mut rest).split_at_mut(len);
        rest = later;
        at += len as u64;
        Some((part, page, start))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(usize, usize, u8),
        Punch(usize, usize),
        SetLen(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..20_000usize, 0..9_000usize, 1..=255u8)
                .prop_map(|(at, len, byte)| Step::Write(at, len, byte)),
            (0..20_000usize, 0..9_000usize).prop_map(|(at, len)| Step::Punch(at, len)),
            (0..25_000usize).prop_map(Step::SetLen),
        ]
    }

    proptest! {
        #[test]
        fn behaves_as_a_vector(steps in prop::collection::vec(step(), 0..12)) {
            let (mut image, mut model) = (Image::default(), Vec::new());
            for step in steps {
                match step {
                    Step::Write(at, len, byte) => {
                        image.write(&vec![byte; len], at as u64);
                        if len > 0 && model.len() < at + len {
                            model.resize(at + len, 0);
                        }
                        if len > 0 {
                            model[at..at + len].fill(byte);
                        }
                    }
                    Step::Punch(at, len) => {
                        image.punch(at as u64, len as u64);
                        let end = model.len().min(at + len);
                        if at < end {
                            model[at..end].fill(0);
                        }
                    }
                    Step::SetLen(len) => {
                        image.set_len(len as u64);
                        model.resize(len, 0);
                    }
                }
                let mut read = vec![1; model.len()];
                image.read(&mut read, 0);
                prop_assert_eq!(image.len(), model.len() as u64);
                prop_assert!(read == model);
                holes_are_zero(&image, &model)?;
            }
        }
    }

    /// Walks data and holes as a copying tool does, and finds every byte that is not zero.
    fn holes_are_zero(image: &Image, model: &[u8]) -> Result<(), TestCaseError> {
        let mut at = 0;
        let mut covered = vec![false; model.len()];
        while let Some(data) = image.next_data(at) {
            let hole = image.next_hole(data);
            prop_assert!(data >= at && hole > data && hole <= image.len());
            covered[usize::try_from(data).unwrap()..usize::try_from(hole).unwrap()].fill(true);
            at = hole;
        }
        prop_assert!(
            model
                .iter()
                .zip(covered)
                .all(|(byte, covered)| covered || *byte == 0)
        );
        Ok(())
    }
}
