import type { Page } from 'playwright-core';

/** A text that is hard to read: its contrast, and its position. */
export interface PoorContrast {
  ratio: number;
  text: string;
  colours: string;
}

/**
 * Texts on a page whose contrast is below WCAG AA (4.5:1, large text 3:1), by the computed colours; disabled and
 * invisible text does not count.
 */
export function poorContrasts(page: Page): Promise<PoorContrast[]> {
  return page.evaluate(() => {
    type Colour = [number, number, number, number];
    const parse = (text: string): Colour => {
      const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
      return text === 'transparent' || text === 'none' ? [0, 0, 0, 0] : [r, g, b, a];
    };
    const over = (top: Colour, below: Colour): Colour => {
      const mix = (index: 0 | 1 | 2): number => top[index] * top[3] + below[index] * (1 - top[3]);
      return [mix(0), mix(1), mix(2), 1];
    };
    const behind = (element: Element | null): Colour => {
      if (!element) return [255, 255, 255, 1];
      const own = parse(getComputedStyle(element).backgroundColor);
      return own[3] === 1 ? own : over(own, behind(element.parentElement));
    };
    /** In a drawing the shape under the middle of the text, if there is one. */
    const drawnBehind = (text: Element, box: DOMRect): Colour => {
      const middle = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      const shape = middle.find((one) => one.tagName === 'rect' && parse(getComputedStyle(one).fill)[3] === 1);
      return shape ? parse(getComputedStyle(shape).fill) : behind(text.closest('svg'));
    };
    const luminance = ([r, g, b]: Colour): number => {
      const part = (value: number): number => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      };
      return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    };
    const found: { ratio: number; text: string; colours: string }[] = [];
    const judge = (element: Element, text: string, colour: string, back: Colour): void => {
      const style = getComputedStyle(element);
      let opacity = 1;
      for (let one: Element | null = element; one; one = one.parentElement)
        opacity *= Number(getComputedStyle(one).opacity);
      const [r, g, b, a] = parse(colour);
      const front = over([r, g, b, a * opacity], back);
      const [dark = 0, light = 0] = [luminance(front), luminance(back)].sort((x, y) => x - y);
      const ratio = (light + 0.05) / (dark + 0.05);
      const size = Number.parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (large ? 3 : 4.5)) {
        found.push({
          ratio: Math.round(ratio * 100) / 100,
          text: text.slice(0, 60),
          colours: `${colour} on ${back.join(' ')}`,
        });
      }
    };
    for (const element of document.querySelectorAll('body *')) {
      if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      if (element.matches(':disabled, :disabled *, option, script, style, title, .pw-hidden')) continue;
      const box = element.getBoundingClientRect();
      if (box.width < 2 || box.height < 2) continue;
      const words = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent ?? '');
      const text = words.join(' ').trim();
      const style = getComputedStyle(element);
      if (element instanceof SVGElement) {
        if (text !== '') judge(element, text, style.fill, drawnBehind(element, box));
      } else if (element instanceof HTMLInputElement && element.placeholder !== '' && element.value === '') {
        judge(element, element.placeholder, getComputedStyle(element, '::placeholder').color, behind(element));
      } else if (text !== '' || element instanceof HTMLSelectElement || element instanceof HTMLInputElement) {
        judge(element, text || element.tagName, style.color, behind(element));
      }
    }
    return found;
  });
}
