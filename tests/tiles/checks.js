/* What the tests look for on a page of tiles; each answers with a list of what is wrong. */
window.checks = {
  /** What stands out of its tile, or is cut. */
  overflow: function() {
    return [...document.querySelectorAll('section')].flatMap(function(section) {
      const box = section.getBoundingClientRect();
      return [...section.querySelectorAll('.jtBody *')].filter(function(each) {
        if (!each.getClientRects().length || each.ownerSVGElement) return false; // a drawing is cut by its own frame
        for (let part = each; part !== section; part = part.parentElement) {
          const seen = getComputedStyle(part);
          if (seen.clipPath !== 'none' || seen.clip !== 'auto') return false; // for screen readers alone
        }
        const own = each.getBoundingClientRect(), style = getComputedStyle(each);
        const isCut = each.scrollWidth > each.clientWidth + 1 && style.display !== 'inline' && style.textOverflow !== 'ellipsis';
        return own.right > box.right + 0.5 || own.left < box.left - 0.5 || isCut;
      }).map(function(each) { return section.id + ': ' + each.className + ' ' + each.textContent.trim().slice(0, 40); });
    });
  },

  /** Texts with less contrast than this, by WCAG 2.1. */
  contrast: function(least) {
    const parse = function(text) {
      const numbers = text.match(/[\d.]+/g).map(Number);
      return numbers.length < 4 ? numbers.concat(1) : numbers;
    };
    const light = function(color) {
      const [r, g, b] = color.slice(0, 3).map(function(part) {
        return part / 255 <= 0.03928 ? part / 255 / 12.92 : Math.pow((part / 255 + 0.055) / 1.055, 2.4);
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const over = function(top, below) {
      return [0, 1, 2].map(function(n) { return top[n] * top[3] + below[n] * (1 - top[3]); }).concat(1);
    };
    const ground = function(each) {
      const chain = [];
      for (; each; each = each.parentElement) chain.unshift(parse(getComputedStyle(each).backgroundColor));
      return chain.reduce(function(below, part) { return over(part, below); }, [255, 255, 255, 1]);
    };
    const texts = [...document.querySelectorAll('.jtBody *')].filter(function(each) {
      const isText = [...each.childNodes].some(function(node) { return node.nodeType === 3 && node.nodeValue.trim(); });
      return isText && each.getClientRects().length;
    });
    return [...new Set(texts.flatMap(function(each) {
      const below = ground(each);
      const [low, high] = [light(over(parse(getComputedStyle(each).color), below)), light(below)].sort((a, b) => a - b);
      const ratio = (high + 0.05) / (low + 0.05);
      return ratio < least ? [each.className + ' ' + each.textContent.trim().slice(0, 30) + ' ' + ratio.toFixed(2)] : [];
    }))];
  },

  /** What one can use or measure, and has no name for a screen reader. */
  nameless: function() {
    const used = '.jtBody button, .jtBody [role=button], .jtBody [role=meter], .jtBody summary';
    return [...document.querySelectorAll(used)].filter(function(each) {
      return !(each.getAttribute('aria-label') || each.title || each.textContent).trim();
    }).map(function(each) { return each.outerHTML; });
  },
};
