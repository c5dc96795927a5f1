//! Values that are watched, of whatever type, as signals of one type: what a signal's machinery is made into for each type
//! of its own would be 4 kB of what a phone has to load.

use std::{
    any::Any,
    marker::PhantomData,
    sync::{Arc, PoisonError, RwLock},
};

use leptos::{prelude::*, reactive::signal::ArcTrigger};

/// A value that is watched. A handle: copies mean the same value, for as long as what made it lives.
pub struct Watched<T> {
    place: StoredValue<Place>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Watched<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Watched<T> {}

/// Where a value is: an `RwLock` of its type, and who is told of its changes.
#[derive(Clone)]
struct Place {
    value: Arc<dyn Any + Send + Sync>,
    told: ArcTrigger,
}

fn made(value: Arc<dyn Any + Send + Sync>) -> StoredValue<Place> {
    StoredValue::new(Place { value, told: ArcTrigger::new() })
}

fn found(place: StoredValue<Place>, tracked: bool) -> Place {
    let place = place.get_value();
    if tracked {
        place.told.track();
    }
    place
}

impl Place {
    fn of<T: 'static>(&self) -> &RwLock<T> {
        let Some(value) = self.value.downcast_ref() else { unreachable!("a place keeps its type") };
        value
    }

    fn read<T: 'static, U>(&self, read: impl FnOnce(&T) -> U) -> U {
        read(&self.of().read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T: Send + Sync + 'static> Watched<T> {
    /// A value that is watched from now on.
    pub fn new(value: T) -> Self {
        Watched { place: made(Arc::new(RwLock::new(value))), of: PhantomData }
    }

    /// Reads it, and again whenever it has changed.
    pub fn with<U>(self, read: impl FnOnce(&T) -> U) -> U {
        found(self.place, true).read(read)
    }

    /// Reads it once.
    pub fn with_untracked<U>(self, read: impl FnOnce(&T) -> U) -> U {
        found(self.place, false).read(read)
    }

    /// Changes it.
    pub fn update(self, change: impl FnOnce(&mut T)) {
        let place = found(self.place, false);
        change(&mut place.of().write().unwrap_or_else(PoisonError::into_inner));
        place.told.notify();
    }

    /// Puts another value in its place.
    pub fn set(self, value: T) {
        self.update(|old| *old = value);
    }
}

impl<T: Clone + Send + Sync + 'static> Watched<T> {
    /// A copy of it, taken again whenever it has changed.
    pub fn get(self) -> T {
        self.with(T::clone)
    }

    /// A copy of it.
    pub fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }
}
