/* dom.ts: the little of the DOM that the views need. No markup is ever built from text. */

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
    const node = document.getElementById(id);
    if (node === null) throw new Error('no element #' + id);
    return node as T;
}

interface Properties {
    class?: string;
    text?: string;
    title?: string;
    type?: string;
    attributes?: Record<string, string>;
    on?: Partial<Record<keyof HTMLElementEventMap, (e: Event) => void>>;
}

export function el<K extends keyof HTMLElementTagNameMap>(
    tag: K, properties: Properties = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
    const node = document.createElement(tag);
    if (properties.class !== undefined) node.className = properties.class;
    if (properties.text !== undefined) node.textContent = properties.text;
    if (properties.title !== undefined) node.title = properties.title;
    if (properties.type !== undefined) node.setAttribute('type', properties.type);
    for (const [name, value] of Object.entries(properties.attributes ?? {}))
        node.setAttribute(name, value);
    for (const [name, listener] of Object.entries(properties.on ?? {}))
        node.addEventListener(name, listener as EventListener);
    node.append(...children);
    return node;
}

/* Writes only what differs: an untouched node costs no layout. */
export function setText(node: Node, text: string): void {
    if (node.textContent !== text) node.textContent = text;
}

export function setClass(node: Element, name: string, on: boolean): void {
    if (node.classList.contains(name) !== on) node.classList.toggle(name, on);
}

/* Makes the children of `parent` follow `items`, keeping the node of a key, so that a press on a
 * button is not lost when the list is redrawn under it. */
export class KeyedList<T, N extends HTMLElement> {
    private nodes = new Map<string, N>();

    constructor(
        private readonly parent: HTMLElement,
        private readonly key: (item: T) => string,
        private readonly make: (item: T) => N,
        private readonly update: (node: N, item: T) => void,
    ) {}

    render(items: readonly T[]): void {
        const next = new Map<string, N>();
        let at: ChildNode | null = this.parent.firstChild;
        for (const item of items) {
            const key = this.key(item);
            const node = this.nodes.get(key) ?? this.make(item);
            this.update(node, item);
            next.set(key, node);
            if (at === node) {
                at = node.nextSibling;
            } else {
                this.parent.insertBefore(node, at);
            }
        }
        while (at !== null) {
            const rest: ChildNode | null = at.nextSibling;
            at.remove();
            at = rest;
        }
        this.nodes = next;
    }

    node(key: string): N | undefined {
        return this.nodes.get(key);
    }
}

export function pad2(n: number): string {
    return n < 10 ? '0' + n : String(n);
}

export function clockText(ms: number): string {
    const d = new Date(ms);
    return `${pad2(d.getUTCHours())}:${pad2(d.getUTCMinutes())}:${pad2(d.getUTCSeconds())}`;
}
