//! Large pieces of memory in huge pages, where Linux gives them to those who ask: a table of a million rows touches a few
//! hundred megabytes of new memory when it comes, and by pages of 4 KiB the faults alone take longer than the rows.
//!
//! What the unsafe code relies on: the system's allocator does all of the work, and advice on memory changes no byte of it.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

pub struct Allocator;

/// Of x86-64, and of ARM64 with pages of 4 KiB; elsewhere the kernel takes what fits.
const HUGE_PAGE: usize = 2 * 1024 * 1024;

/// What is large begins at a huge page: whether it is large, and so how it was asked for, is known from its size alone.
#[inline]
fn is_large(size: usize) -> bool {
    size >= HUGE_PAGE
}

fn aligned(layout: Layout) -> Option<Layout> {
    layout.align_to(HUGE_PAGE).ok()
}

// SAFETY: every request goes to the system's allocator, and memory goes back to it as it was asked for.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match is_large(layout.size()) {
            true => alloc_large(layout),
            false => unsafe { System.alloc(layout) },
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe {
            if !is_large(layout.size()) {
                return System.alloc_zeroed(layout);
            }
            let memory = alloc_large(layout);
            if !memory.is_null() {
                ptr::write_bytes(memory, 0, layout.size());
            }
            memory
        }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        let known = if is_large(layout.size()) { aligned(layout).unwrap_or(layout) } else { layout };
        unsafe { System.dealloc(memory, known) }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe {
            if !is_large(layout.size().max(size)) {
                return System.realloc(memory, layout, size);
            }
            let Ok(new_layout) = Layout::from_size_align(size, layout.align()) else { return ptr::null_mut() };
            let new = self.alloc(new_layout);
            if !new.is_null() {
                ptr::copy_nonoverlapping(memory, new, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            new
        }
    }
}

#[cold]
fn alloc_large(layout: Layout) -> *mut u8 {
    let Some(layout) = aligned(layout) else { return ptr::null_mut() };
    // SAFETY: the size is not zero. A kernel that knows no huge pages says so, and all is well.
    unsafe {
        let memory = System.alloc(layout);
        if !memory.is_null() {
            libc::madvise(memory.cast(), layout.size() / HUGE_PAGE * HUGE_PAGE, libc::MADV_HUGEPAGE);
        }
        memory
    }
}
