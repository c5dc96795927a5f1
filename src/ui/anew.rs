//! A view that is made anew when it changes. What would change it in place, attribute by attribute, is then nothing that a
//! phone has to load; and what somebody typed or chose in the old one is gone with it.

use leptos::{
    attr::{Attribute, any_attribute::AnyAttribute},
    prelude::*,
    tachys::{
        hydration::Cursor,
        view::{Position, PositionState},
    },
};

/// A view that is made anew when it changes.
pub(super) struct Anew<V>(pub(super) V);

impl<V: Render> Render for Anew<V> {
    type State = V::State;

    fn build(self) -> V::State {
        self.0.build()
    }

    fn rebuild(self, state: &mut V::State) {
        let mut made = self.0.build();
        state.insert_before_this(&mut made);
        state.unmount();
        *state = made;
    }
}

impl<V: RenderHtml> AddAnyAttr for Anew<V> {
    type Output<Added: Attribute> = V::Output<Added>;

    fn add_any_attr<Added: Attribute>(self, attr: Added) -> V::Output<Added>
    where
        V::Output<Added>: RenderHtml,
    {
        self.0.add_any_attr(attr)
    }
}

impl<V: RenderHtml> RenderHtml for Anew<V> {
    type AsyncOutput = V::AsyncOutput;
    type Owned = V::Owned;

    const MIN_LENGTH: usize = V::MIN_LENGTH;

    fn dry_resolve(&mut self) {
        self.0.dry_resolve();
    }

    async fn resolve(self) -> V::AsyncOutput {
        self.0.resolve().await
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        self.0.to_html_with_buf(buf, position, escape, mark_branches, extra_attrs);
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> V::State {
        self.0.hydrate::<FROM_SERVER>(cursor, position)
    }

    fn into_owned(self) -> V::Owned {
        self.0.into_owned()
    }
}
