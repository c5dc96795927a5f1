// What the story needs of a browser that Playwright does not drive: as little as a person's eye and hand. An `element` is a
// JavaScript expression for one, such as `document.querySelector('#composer')`.
export interface Browser {
  // Goes there, and comes back when the page has loaded.
  go(to: string): Promise<void>;
  reload(): Promise<void>;
  // The value of an expression in the page; it must be JSON.
  value<T>(expression: string): Promise<T>;
  // A real click in the middle of the element, which is scrolled to.
  press(element: string): Promise<void>;
  // Real keys.
  type(element: string, text: string): Promise<void>;
  end(): Promise<void>;
}

// Narrow enough that the VM controls are a sheet, and wide enough for every window that has a tool bar.
export const size = { width: 640, height: 900 };
