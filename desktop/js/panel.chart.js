/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Colours of the energy panel's charts, and what they say beside the pointer.
 */
(function() {
  'use strict';

  /** Colours by name, from core/contract/quantities.json; those of money and of what is left, which measure nothing of the house. */
  const COLORS = JSON.parse(document.getElementById('div_jeenergiePanel')?.dataset.colors || '{}');
  const OF_KIND = { consumption: 'grid', production: 'solar', solar: 'solar', import: 'grid', export: 'export', cost: 'grid', gain: 'export', subscription: 'load', rest: 'edge' };
  const OF_PART = { peak: 'peak', offPeak: 'offPeak' };
  /** For figures whose own colour another one of the same picture has. */
  const SPARE = ['grid', 'solar', 'export', 'battery', 'charger', 'load', 'house'];
  const colorOf = (name) => COLORS[name] || COLORS.edge || '#7b8794';

  /** The colour of each figure of a list by its key: its own, or a spare one; no two alike. */
  function shades(list) {
    const taken = new Set();
    return Object.fromEntries(list.map((each) => {
      const name = { whole: each.ink || OF_KIND[each.kind], part: each.color, within: OF_KIND[each.part], rest: 'edge' }[each.role];
      let color = colorOf(OF_PART[name] || name);
      if (taken.has(color)) {
        const free = SPARE.map(colorOf).find((other) => !taken.has(other));
        color = free || Highcharts.color(color).brighten(0.06 * taken.size).get();
      }
      taken.add(color);
      return [each.key, color];
    }));
  }

  /** What stands beside the pointer: the date, each figure, and the total of the parts of one figure. */
  function tip(all, heading, rounded) {
    const points = all.filter((point) => point.y !== null);
    const holder = document.createElement('div');
    const row = (text, value, color) => {
      const place = holder.appendChild(document.createElement('div'));
      const dot = place.appendChild(document.createElement('span'));
      dot.textContent = color ? '● ' : '';
      dot.style.color = color || '';
      place.append(text + '{{ : }}');
      place.appendChild(document.createElement('b')).textContent = value;
    };
    holder.appendChild(document.createElement('b')).textContent = heading(points[0].point);
    points.forEach((point) => row(point.series.name, rounded(point.y), point.series.color));
    const stacks = new Map();
    points.forEach((point) => stacks.set(point.series.options.stack, [...(stacks.get(point.series.options.stack) || []), point.y]));
    [...stacks.values()].filter((values) => values.length > 1).forEach((values) => {
      row('{{Total}}', rounded(values.reduce((sum, value) => sum + value, 0)), '');
    });
    return holder.innerHTML;
  }

  window.jeenergieChart = { shades: shades, tip: tip };
})();
