//! Memory for secrets: never in a core dump, kept from swap where the limits allow, zeroed when
//! it is given back.
//!
//! Two zones. `SECRETS` is also wiped in a forked child, which has no business with keys of a
//! library that it did not initialise. `ENGINE` serves the C library's own allocations (parsed
//! keys, big numbers); it is not wiped, because that library's tables and thread state live in
//! it too and a child must find them whole.
//!
//! Blocks come in powers of two from mapped regions; each begins with a header that names its
//! class and shard. A shard is a lock and its free lists; threads are spread over the shards.
//! The lists run through the free blocks themselves: wiped, they simply end.

use std::ptr::{self, NonNull};
use std::sync::atomic::{Ordering, compiler_fence};

use super::fork::ForkLock;
use super::shard::{self, SHARDS};

const HEADER: usize = 16;
const BLOCK_ALIGN: usize = 16;
const SMALLEST: usize = 64;
const CLASSES: usize = 9; // 64 bytes to 16 KiB; larger blocks are mapped one by one
const REGION: usize = 256 * 1024;
const LIVE: u32 = 0xC1A5_1BEE;
const LARGE: u32 = u32::MAX;

/// For `Secret` and for parsed keys of our own.
pub(crate) static SECRETS: Zone = Zone::new(true);
/// For the C library's allocator.
pub(crate) static ENGINE: Zone = Zone::new(false);

#[repr(C)]
struct Header {
    live: u32,
    class: u32,
    shard: u32,
    capacity: u32,
}

struct Shard {
    free: [*mut u8; CLASSES],
    next: *mut u8,
    left: usize,
}

// SAFETY: the pointers lead to mapped memory that is reached only under the shard's lock.
unsafe impl Send for Shard {}

/// A set of shards with one rule for forks.
pub(crate) struct Zone {
    wiped_in_child: bool,
    shards: [ForkLock<Shard>; SHARDS],
}

impl Zone {
    const fn new(wiped_in_child: bool) -> Self {
        Self {
            wiped_in_child,
            shards: [const {
                ForkLock::new(Shard {
                    free: [ptr::null_mut(); CLASSES],
                    next: ptr::null_mut(),
                    left: 0,
                })
            }; SHARDS],
        }
    }

    /// At least `len` bytes, aligned to 16, zeroed; `None` if the kernel has no more.
    pub(crate) fn allocate(&'static self, len: usize) -> Option<NonNull<u8>> {
        let needed = len.checked_add(HEADER)?;
        if needed > SMALLEST << (CLASSES - 1) {
            return self.allocate_large(needed);
        }
        let class = class_of(needed);
        let number = shard::of_this_thread();
        let mut shard = self.shards.get(number)?.lock();
        let block = self.take(&mut shard, class)?;
        drop(shard);
        let capacity = (SMALLEST << class) - HEADER;
        // SAFETY: `block` is a whole free block of this class, owned by nobody else.
        Some(unsafe { begin(block, class as u32, number as u32, capacity as u32) })
    }

    fn take(&self, shard: &mut Shard, class: usize) -> Option<*mut u8> {
        let size = SMALLEST << class;
        let head = shard.free.get_mut(class)?;
        if !head.is_null() {
            let block = *head;
            // SAFETY: a free block holds the address of the next one in its first bytes.
            *head = unsafe { block.cast::<*mut u8>().read() };
            // SAFETY: the block is `size` bytes long; only its first word was in use.
            unsafe { block.cast::<*mut u8>().write(ptr::null_mut()) };
            return Some(block);
        }
        if shard.left < size {
            shard.next = map(REGION, self.wiped_in_child)?.as_ptr();
            shard.left = REGION;
        }
        let block = shard.next;
        // SAFETY: at least `size` bytes of the region are left.
        shard.next = unsafe { block.add(size) };
        shard.left -= size;
        Some(block)
    }

    fn allocate_large(&self, needed: usize) -> Option<NonNull<u8>> {
        let size = needed.checked_next_multiple_of(4096)?;
        let pages = u32::try_from(size / 4096).ok()?;
        let block = map(size, self.wiped_in_child)?;
        // SAFETY: a mapping of our own, `size` bytes long.
        Some(unsafe { begin(block.as_ptr(), LARGE, 0, pages) })
    }

    /// Zeroes a block and takes it back.
    ///
    /// # Safety
    /// `address` came from `allocate` of this zone and is not used any more.
    pub(crate) unsafe fn free(&'static self, address: NonNull<u8>) {
        // SAFETY: every block has its header before it.
        let block = unsafe { address.as_ptr().sub(HEADER) };
        // SAFETY: the header was written by `begin`, or zeroed in a forked child.
        let header = unsafe { block.cast::<Header>().read() };
        if header.live != LIVE {
            return; // wiped by a fork: leaked on purpose
        }
        if header.class == LARGE {
            // SAFETY: the mapping was made by `allocate_large` with this many pages.
            unsafe { libc::munmap(block.cast(), header.capacity as usize * 4096) };
            return;
        }
        let class = header.class as usize;
        // SAFETY: the block is as long as its class says.
        unsafe { wipe(block, SMALLEST << class) };
        let Some(shard) = self.shards.get(header.shard as usize) else { return };
        let mut shard = shard.lock();
        let Some(head) = shard.free.get_mut(class) else { return };
        // SAFETY: the block is free now, and its first bytes hold the list.
        unsafe { block.cast::<*mut u8>().write(*head) };
        *head = block;
    }

    /// How many bytes a block can hold.
    ///
    /// # Safety
    /// `address` came from `allocate` of this zone and is still in use.
    pub(crate) unsafe fn capacity(&'static self, address: NonNull<u8>) -> usize {
        // SAFETY: every block has its header before it.
        let block = unsafe { address.as_ptr().sub(HEADER) };
        // SAFETY: the header was written by `begin`.
        let header = unsafe { block.cast::<Header>().read() };
        if header.class == LARGE {
            return (header.capacity as usize * 4096).saturating_sub(HEADER);
        }
        header.capacity as usize
    }

    /// For the fork hooks.
    pub(crate) fn hold_for_fork(&'static self) {
        self.shards.iter().for_each(ForkLock::hold_for_fork);
    }

    /// For the fork hooks.
    pub(crate) fn release_after_fork(&'static self) {
        self.shards.iter().for_each(ForkLock::release_after_fork);
    }
}

/// Writes the header and gives the address behind it.
///
/// # Safety
/// `block` is a whole block of the class, owned by the caller.
unsafe fn begin(block: *mut u8, class: u32, shard: u32, capacity: u32) -> NonNull<u8> {
    let header = Header { live: LIVE, class, shard, capacity };
    // SAFETY: the block is at least as long as a header and aligned for it.
    unsafe { block.cast::<Header>().write(header) };
    // SAFETY: within the block.
    let start = unsafe { block.add(HEADER) };
    // SAFETY: not null, because the block is not.
    unsafe { NonNull::new_unchecked(start) }
}

/// Overwrites memory in a way that the compiler may not leave out.
///
/// # Safety
/// `block` is valid for writes of `len` bytes.
unsafe fn wipe(block: *mut u8, len: usize) {
    // SAFETY: as the caller promises.
    unsafe { ptr::write_bytes(block, 0, len) };
    // SAFETY: reading back what was just written, so that the write has a reader.
    let _ = unsafe { ptr::read_volatile(block) };
    compiler_fence(Ordering::SeqCst);
}

fn class_of(needed: usize) -> usize {
    let size = needed.max(SMALLEST).next_power_of_two();
    (size / SMALLEST).trailing_zeros() as usize
}

/// Maps memory that no core dump contains and, if the limits allow, no swap.
fn map(len: usize, wiped_in_child: bool) -> Option<NonNull<u8>> {
    // SAFETY: an anonymous mapping at an address of the kernel's choice touches nothing of ours.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            len,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the whole mapping made above. Both are best effort: old kernels and low limits
    // must not keep a token from working.
    unsafe { libc::madvise(start, len, libc::MADV_DONTDUMP) };
    if wiped_in_child {
        // SAFETY: as above.
        unsafe { libc::madvise(start, len, libc::MADV_WIPEONFORK) };
    }
    // SAFETY: as above.
    unsafe { libc::mlock(start, len) };
    NonNull::new(start.cast())
}

/// A value in the arena, dropped (and so zeroed) in place. For parsed keys of Rust types.
pub(crate) struct Locked<T: 'static> {
    value: NonNull<T>,
    /// Where the value's block begins: before it, if the value wants more alignment than blocks
    /// have.
    block: NonNull<u8>,
}

// SAFETY: a `Locked<T>` owns its value as a `Box<T>` does.
unsafe impl<T: Send> Send for Locked<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Locked<T> {}

impl<T: 'static> Locked<T> {
    /// Moves a value into the arena; `None` if there is no memory for it.
    pub(crate) fn new(value: T) -> Option<Self> {
        let spare = if align_of::<T>() > BLOCK_ALIGN { align_of::<T>() } else { 0 };
        let block = SECRETS.allocate(size_of::<T>().checked_add(spare)?)?;
        let room = match spare {
            0 => block,
            // SAFETY: less than `spare`, which the block has beyond the value's size.
            _ => unsafe { block.add(block.align_offset(spare)) },
        };
        let room = room.cast::<T>();
        // SAFETY: the room is large and aligned enough, and ours.
        unsafe { room.write(value) };
        Some(Self { value: room, block })
    }
}

impl<T: 'static> std::ops::Deref for Locked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: written in `new`, dropped in `drop` only.
        unsafe { self.value.as_ref() }
    }
}

impl<T: 'static> std::ops::DerefMut for Locked<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and borrowed exclusively.
        unsafe { self.value.as_mut() }
    }
}

impl<T: 'static> Drop for Locked<T> {
    fn drop(&mut self) {
        // SAFETY: the value was written in `new` and is dropped once.
        unsafe { self.value.drop_in_place() };
        // SAFETY: the block came from this zone and is not used any more.
        unsafe { SECRETS.free(self.block) };
    }
}

/// Bytes in the arena; zeroed when dropped.
pub(crate) struct LockedBytes {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: `LockedBytes` owns its bytes as a `Box<[u8]>` does.
unsafe impl Send for LockedBytes {}
// SAFETY: as above.
unsafe impl Sync for LockedBytes {}

impl LockedBytes {
    /// `len` zero bytes; `None` if there is no memory for them.
    pub(crate) fn zeroed(len: usize) -> Option<Self> {
        Some(Self { start: SECRETS.allocate(len)?, len })
    }
}

impl std::ops::Deref for LockedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the block is at least `len` bytes long, initialised, and ours until dropped.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl std::ops::DerefMut for LockedBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`, and borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Drop for LockedBytes {
    fn drop(&mut self) {
        // SAFETY: the block came from this zone and is not used any more.
        unsafe { SECRETS.free(self.start) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_zeroed_apart_and_used_again() {
        let first = SECRETS.allocate(100).expect("memory");
        // SAFETY: 100 bytes were asked for.
        unsafe { ptr::write_bytes(first.as_ptr(), 0xAA, 100) };
        let second = SECRETS.allocate(100).expect("memory");
        assert_ne!(first, second);
        // SAFETY: the block is live.
        assert!(unsafe { SECRETS.capacity(first) } >= 100);
        // SAFETY: not used any more.
        unsafe { SECRETS.free(first) };
        let third = SECRETS.allocate(90).expect("memory");
        assert_eq!(first, third, "the freed block of the class comes first");
        // SAFETY: 90 bytes were asked for.
        let bytes = unsafe { std::slice::from_raw_parts(third.as_ptr(), 90) };
        assert!(bytes.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn values_stand_where_their_alignment_wants_them() {
        #[repr(align(64))]
        struct Wide([u8; 100]);
        for _ in 0..4 {
            let kept = SECRETS.allocate(8).expect("memory");
            let wide = Locked::new(Wide([7; 100])).expect("memory");
            assert_eq!(ptr::from_ref(&*wide).addr() % 64, 0);
            assert_eq!(wide.0, [7; 100]);
            // SAFETY: not used any more.
            unsafe { SECRETS.free(kept) };
        }
    }

    #[test]
    fn large_blocks_and_absurd_lengths() {
        let large = ENGINE.allocate(1 << 20).expect("memory");
        // SAFETY: the block is live.
        assert!(unsafe { ENGINE.capacity(large) } >= 1 << 20);
        // SAFETY: not used any more.
        unsafe { ENGINE.free(large) };
        assert!(SECRETS.allocate(usize::MAX).is_none());
    }
}
