// The page's elements, and what this device keeps.

/** The document's root, which says how the page looks and whether it is hydrated. */
export const root = document.documentElement;

/**
 * The first element of this kind.
 * @param {string} selector
 * @returns {any}
 */
export const find = (selector) => document.querySelector(selector);

/** True while somebody may see the page. */
export const isSeen = () => document.visibilityState === 'visible';

/**
 * What this device keeps under this name. Where a browser keeps nothing, there is nothing.
 * @param {string} name
 * @returns {string | null | undefined}
 */
export function kept(name) {
  try {
    return localStorage.getItem(`breakglass:${name}`);
  } catch {}
}

/**
 * Keeps it; what is empty is not kept.
 * @param {string} name
 * @param {string} value
 */
export function keep(name, value) {
  try {
    if (value) localStorage.setItem(`breakglass:${name}`, value);
    else localStorage.removeItem(`breakglass:${name}`);
  } catch {}
}
