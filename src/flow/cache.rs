//! [`Cache`]: values remembered by the bytes they were made from, within a bound.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// A value with a known size.
pub(crate) trait Weigh {
    /// About how many bytes of memory the value and all that it alone holds take up.
    fn weight(&self) -> usize;
}

/// Remembers values by byte keys. The bytes themselves are compared, so that a hash collision can never lie.
///
/// Two generations: when the young one is full the old one is forgotten, so that what is in use stays and the memory
/// is at most twice the bound.
pub(crate) struct Cache<V> {
    young: HashTable<Slot<V>>,
    old: HashTable<Slot<V>>,
    entries: usize,
    bytes: usize,
    /// Bytes of the keys and values of the young generation.
    young_bytes: usize,
    hasher: foldhash::fast::RandomState,
}

struct Slot<V> {
    key: Box<[u8]>,
    value: V,
}

impl<V: Clone + Weigh> Cache<V> {
    /// A cache of at most `entries` values and `bytes` of keys and values a generation, or of a single one.
    pub(crate) fn new(entries: usize, bytes: usize) -> Self {
        Self {
            young: HashTable::new(),
            old: HashTable::new(),
            entries,
            bytes,
            young_bytes: 0,
            hasher: foldhash::fast::RandomState::default(),
        }
    }

    /// The value made from `key`; `make` makes it where it is not remembered. What `make` refuses is not remembered.
    pub(crate) fn get_or_make<E>(&mut self, key: &[u8], make: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        let hash = self.hasher.hash_one(key);
        if let Some(slot) = self.young.find(hash, |slot| *slot.key == *key) {
            return Ok(slot.value.clone());
        }
        let slot = match self.old.find_entry(hash, |slot| *slot.key == *key) {
            Ok(entry) => entry.remove().0,
            Err(_) => Slot { key: key.into(), value: make()? },
        };
        let value = slot.value.clone();
        let weight = key.len().saturating_add(slot.value.weight());
        if self.young.len() >= self.entries || self.young_bytes.saturating_add(weight) > self.bytes {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes = self.young_bytes.saturating_add(weight);
        let hasher = &self.hasher;
        if let Entry::Vacant(vacant) =
            self.young.entry(hash, |slot| *slot.key == *key, |slot| hasher.hash_one(&*slot.key))
        {
            vacant.insert(slot);
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weigh for u8 {
        fn weight(&self) -> usize {
            usize::from(*self)
        }
    }

    #[test]
    fn forgets_by_the_weight_of_what_it_holds() {
        let mut cache = Cache::new(1000, 500);
        for key in 0..100_u32 {
            let _: Result<u8, ()> = cache.get_or_make(&key.to_be_bytes(), || Ok(96));
        }
        assert_eq!((cache.young.len(), cache.old.len()), (5, 5));
    }

    #[test]
    fn remembers_what_is_in_use_and_forgets_the_rest() {
        let mut cache = Cache::new(4, 10_000);
        let mut made = 0_u32;
        let mut ask = |cache: &mut Cache<u8>, key: u8| {
            let _: Result<u8, ()> = cache.get_or_make(&[key], || {
                made += 1;
                Ok(key)
            });
            made
        };
        for key in 0..40 {
            ask(&mut cache, key);
            ask(&mut cache, 200);
        }
        assert_eq!(ask(&mut cache, 200), 41, "the key in use was made once");
        assert!(cache.young.len() + cache.old.len() <= 8);
    }

    #[test]
    fn does_not_remember_a_refusal() {
        let mut cache: Cache<u8> = Cache::new(4, 1000);
        assert_eq!(cache.get_or_make(b"a", || Err("no")), Err("no"));
        assert_eq!(cache.get_or_make::<&str>(b"a", || Ok(1)), Ok(1));
    }
}
