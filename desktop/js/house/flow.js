/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Draws the house as it is now: sun, grid, battery, house and what uses energy, with lines as wide as their power. Directions
 * stand in arrows and in words; the same facts are a list for who cannot see the picture.
 */
(function(house) {
  'use strict';

  const math = house.math, element = house.svg;
  const WORDS = {
    solar: { name: '{{Soleil}}', produces: '{{produit}}', still: '{{ne produit pas}}' },
    grid: { name: '{{Réseau}}', draws: '{{fournit}}', feeds: '{{reçoit}}', still: '{{rien ne passe}}' },
    battery: { name: '{{Batterie}}', discharges: '{{se décharge}}', charges: '{{se charge}}', still: '{{au repos}}' },
    house: { name: '{{Maison}}' },
    others: { name: '{{Autres appareils}}', short: '{{Autres}}' }
  };
  const UNITS = { second: '{{s}}', minute: '{{min}}', hour: '{{h}}', day: '{{j}}' };
  /** Drawings in a square from -12 to 12. */
  const ICONS = {
    solar: 'M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0M0 -8v-3M0 8v3M-8 0h-3M8 0h3M-5.7 -5.7l-2 -2M5.7 5.7l2 2M-5.7 5.7l-2 2M5.7 -5.7l2 -2',
    grid: 'M-6 11L-2 -11H2L6 11M-9 -5H9M-7.5 1H7.5M-9 -5v3M9 -5v3M-4.3 2L5 10M4.3 2L-5 10',
    battery: 'M-10 -6h18v12h-18zM8 -2.5h3v5h-3M-2 -4l-3.5 4.5h5l-2 4',
    house: 'M-11 0L0 -10L11 0M-8 -2.5V10H8V-2.5M-2.5 10V3h5v7',
    charger: 'M-10 6v-5l3 -6h14l3 6v5zM-10 1h20M-7 6v3h3v-3M4 6v3h3v-3',
    load: 'M-4 -11v5M4 -11v5M-7 -6h14v4a7 7 0 0 1 -14 0zM0 5v6'
  };
  /** Radius of what uses energy; of many in a column. */
  const SMALL = 34, SMALLER = 29;
  /** Where things stand, on a wide and on a narrow place. */
  const WIDE = { width: 760, height: 470, radius: 46, solar: [290, 74], grid: [72, 228], battery: [290, 392], house: [500, 228] };
  const NARROW = { width: 400, height: 470, radius: 46, solar: [168, 74], grid: [60, 215], battery: [168, 372], house: [336, 215] };

  /** In a tile: without names, and without what uses energy in the house. */
  const TINY = { width: 300, height: 274, radius: 38, solar: [150, 40], grid: [42, 132], battery: [150, 218], house: [258, 132] };

  const power = (value, language) => math.text(value, 'W', language);
  const ago = (seconds) => {
    const [count, unit] = math.age(seconds);
    return '{{il y a %s}}'.replace('%s', count + '\u00a0' + UNITS[unit]);
  };
  const nameOf = (each) => (WORDS[each.id] || {}).name || each.name;

  /** One sentence about a node: its name, what it does, how much, and how old that is. */
  function sentence(each, language) {
    const name = nameOf(each);
    if (each.state === 'unknown') return name + '{{ : }}{{inconnu}}';
    if (each.state === 'old') return name + ' : {{inconnu ; dernière valeur}} ' + power(Math.abs(each.power), language) + (each.age === null ? '' : ', ' + ago(each.age));
    const words = (WORDS[each.id] || {})[each.mode] || '';
    const amount = each.mode === 'still' ? '' : ' ' + power(Math.abs(each.power), language);
    return name + ' : ' + (words + amount || power(each.power, language)).trim() + (each.level ? ' (' + each.level + ')' : '');
  }

  /** A cubic curve between two nodes, from edge to edge. */
  function curve(from, to, place, sides) {
    const [x1, y1] = from, [x2, y2] = to, radius = place.radius;
    if (sides === 'down') {
      return [[x1, y1 + radius], [x1, y2 - 53], [x2, y2 - 88], [x2, y2 - place.small]];
    }
    if (sides === 'right') {
      return [[x1 + radius, y1], [x1 + radius + 50, y1], [x2 - place.small - 60, y2], [x2 - place.small, y2]];
    }
    const dx = x2 - x1, dy = y2 - y1;
    if (dx === 0 || dy === 0) {
      const sx = Math.sign(dx), sy = Math.sign(dy);
      const start = [x1 + sx * radius, y1 + sy * radius], end = [x2 - sx * radius, y2 - sy * radius];
      return [start, [start[0] + (end[0] - start[0]) / 3, start[1] + (end[1] - start[1]) / 3], [start[0] + 2 * (end[0] - start[0]) / 3, start[1] + 2 * (end[1] - start[1]) / 3], end];
    }
    // From the side of one to the top or bottom of the other; through the middle of the picture.
    const horizontal = y1 === place.house[1];
    const offset = 16;
    if (horizontal) {
      const start = [x1 + Math.sign(dx) * radius * 0.93, y1 + Math.sign(dy) * offset], end = [x2 - Math.sign(dx) * offset, y2 - Math.sign(dy) * radius * 0.93];
      return [start, [end[0], start[1]], [end[0], start[1] + (end[1] - start[1]) * 0.35], end];
    }
    const start = [x1 + Math.sign(dx) * offset, y1 + Math.sign(dy) * radius * 0.93], end = [x2 - Math.sign(dx) * radius * 0.93, y2 - Math.sign(dy) * offset];
    return [start, [start[0], start[1] + (end[1] - start[1]) * 0.65], [start[0], end[1]], end];
  }

  /** Where the consumers stand: a column on the right of a wide place, a row below on a narrow one. */
  function standing(consumers, isWide, place) {
    const places = {}, gaps = consumers.length - 1;
    const step = Math.min(110, (place.height - 2 * place.small - 38) / Math.max(gaps, 1));
    consumers.forEach((each, index) => {
      places[each.id] = isWide ? [place.width - 66, Math.round(place.house[1] - 8 + (index - gaps / 2) * step)]
        : [Math.round(place.width * (1 - (index + 0.5) / consumers.length)), place.below];
    });
    return places;
  }

  /**
   * Draws. `box`: the element that holds svg and list; `data` as for math.picture, with colors and language; `isTiny`: for
   * a tile.
   */
  function draw(box, data, now, isTiny) {
    const isWide = !isTiny && (box.clientWidth || 800) > 560, language = data.language;
    const found = math.picture(isTiny ? { ...data, devices: [] } : data, now, isWide ? 5 : 3);
    const level = math.stateOf(data.values.batteryLevel, undefined, now);
    if (found.nodes.battery && level.power !== null && level.state === 'known') {
      found.nodes.battery.level = math.text(level.power, '%', language);
    }
    const place = { ...(isTiny ? TINY : isWide ? WIDE : NARROW), isTiny: isTiny, small: isWide && found.consumers.length > 4 ? SMALLER : SMALL };
    place.below = found.nodes.battery ? place.height + 88 : place.house[1] + 185;
    const places = { ...place, ...standing(found.consumers, isWide, place) };
    // What the house does not have takes no place.
    const taken = Object.keys(places).filter((id) => found.nodes[id] || found.consumers.some((each) => each.id === id)).map((id) => places[id][1]);
    const top = found.nodes.solar ? 0 : Math.min(...taken) - place.radius - (isTiny ? 4 : 38);
    const bottom = found.nodes.battery && isTiny ? place.height : Math.max(...taken) + place.radius + (isTiny ? 18 : 32);
    const svg = element('svg', { viewBox: '0 ' + top + ' ' + place.width + ' ' + (bottom - top), role: 'img', 'aria-label': '{{La maison en ce moment}}' });
    const under = element('g', { class: 'jhLines' }, svg), over = element('g', {}, svg);
    found.lines.forEach((line) => {
      const isConsumer = line.from === 'house';
      const points = curve(places[line.from], places[line.to], place, isConsumer ? (isWide ? 'right' : 'down') : '');
      drawLine(under, over, points, line, data, place);
    });
    const nodes = ['solar', 'grid', 'battery'].filter((id) => found.nodes[id]);
    nodes.forEach((id) => node(over, { id: id, ...found.nodes[id] }, places[id], place, true, data.colors[colorOf(id, found.nodes[id])], language));
    houseNode(over, found, place, data, isWide);
    found.consumers.forEach((each) => node(over, each, places[each.id], place, false, data.colors[each.kind] || data.colors.load, language));
    const list = document.createElement('ul');
    list.className = 'jhFacts';
    list.append(...facts(found, language).map((text) => Object.assign(document.createElement('li'), { textContent: text })));
    box.replaceChildren(svg, list);
    return found;
  }

  const colorOf = (id, each) => (id === 'grid' && each.mode === 'feeds' ? 'export' : id);

  function drawLine(under, over, points, line, data, place) {
    const colors = data.colors, language = data.language, isConsumer = line.from === 'house';
    const path = 'M' + points[0] + 'C' + points.slice(1).join(' ');
    if (line.power === null) {
      element('path', { d: path, class: 'jhUnknown', 'stroke-width': line.width }, under);
      return;
    }
    const color = colors[line.color] || colors.load;
    element('path', { d: path, class: 'jhLine', stroke: color, 'stroke-width': line.width }, under);
    element('path', { d: path, class: 'jhMove', 'stroke-width': Math.max(1.2, line.width / 4) }, under);
    const [isLevel, isUpright] = [1, 0].map((axis) => points.every((point) => point[axis] === points[0][axis]));
    // On its upright part, where the label has room.
    const at = math.along(points, isLevel ? 0.25 : isUpright ? 0.75 : isConsumer || place.isTiny ? 0.5 : points[0][1] === points[1][1] ? 0.7 : 0.3), size = 5 + line.width / 2;
    element('path', {
      d: 'M' + -size * 0.7 + ' ' + -size + 'L' + size + ' 0L' + -size * 0.7 + ' ' + size + 'z', class: 'jhArrow', fill: color,
      transform: 'translate(' + at.x.toFixed(1) + ' ' + at.y.toFixed(1) + ') rotate(' + at.angle.toFixed(0) + ')'
    }, over);
    if (!isConsumer) {
      // In the corner that the curve leaves free: away from the middle of the picture.
      const right = isUpright || at.x >= place.solar[0], low = !isLevel && at.y >= place.house[1];
      element('text', {
        x: (at.x + (isLevel ? 0 : (right ? 1 : -1) * (size + 3))).toFixed(1),
        y: (isUpright ? at.y + 4 : low ? at.y + size + 11 : at.y - size - 4).toFixed(1),
        class: 'jhFlow', style: 'text-anchor:' + (isLevel ? 'middle' : right ? 'start' : 'end')
      }, over, power(line.power, language));
    }
  }

  /** A node of the house (`isBig`), or something in it that uses energy. */
  function node(parent, each, at, place, isBig, color, language) {
    const radius = isBig ? place.radius : place.small;
    const isOld = each.state !== 'known' && each.state !== 'partial';
    const group = element('g', { class: 'jhNode' + (isOld ? ' jhOld' : ''), transform: 'translate(' + at + ')' }, parent);
    element('circle', { r: radius, class: 'jhRing', stroke: isOld ? '' : color }, group);
    const words = (WORDS[each.id] || {})[each.mode] || '';
    element('path', { d: ICONS[each.id] || ICONS[each.kind] || ICONS.load, class: 'jhIcon', stroke: isOld ? '' : color, transform: isBig ? 'translate(0 -19)' : 'translate(0 -10) scale(.7)' }, group);
    const value = each.power === null ? '?' : power(Math.abs(each.power), language);
    element('text', { y: isBig ? 10 : 11, class: isBig ? 'jhPower' : 'jhSmall' }, group, value);
    const note = isOld ? (each.state === 'old' && each.age !== null ? ago(each.age) : '{{inconnu}}') : isBig ? each.level || '' : '';
    if (note) element('text', { y: isBig ? 27 : radius + 28, class: 'jhNote' }, group, note);
    element('title', {}, group, sentence(each, language));
    const y = each.id === 'solar' ? -radius - 9 : radius + (isBig ? 17 : 14);
    if (place.isTiny) {
      if (each.id !== 'solar' && !isOld) element('text', { y: y, class: 'jhNote' }, group, words);
      return;
    }
    const name = (!isBig && (WORDS[each.id] || {}).short || nameOf(each)) + (each.count ? ' (' + each.count + ')' : '');
    const label = element('text', { y: y, class: 'jhName' }, group, isBig ? name : short(name));
    if (isBig && words && !isOld) element('tspan', { class: 'jhWord' }, label, ' ' + words);
  }

  const short = (name) => (name.length > 17 ? name.slice(0, 16).trim() + '…' : name);

  /** The middle figure is what the house uses beside cars and devices; all of it stands below. */
  function houseNode(parent, found, place, data, isWide) {
    const language = data.language, radius = place.radius;
    const all = found.nodes.house, base = found.nodes.base;
    const hasParts = base.state === 'known' && all.state === 'known' && base.power < all.power;
    const shown = hasParts ? base : all;
    const isOld = all.state !== 'known';
    const group = element('g', { class: 'jhNode' + (isOld ? ' jhOld' : ''), transform: 'translate(' + place.house + ')' }, parent);
    element('circle', { r: radius, class: 'jhRing', stroke: isOld ? '' : data.colors.house }, group);
    element('path', { d: ICONS.house, class: 'jhIcon', stroke: isOld ? '' : data.colors.house, transform: 'translate(0 -19)' }, group);
    element('text', { y: 10, class: 'jhPower' }, group, shown.power === null ? '?' : power(shown.power, language));
    if (isOld) element('text', { y: 27, class: 'jhNote' }, group, shown.age !== null && shown.state === 'old' ? ago(shown.age) : '{{inconnu}}');
    element('title', {}, group, sentence({ id: 'house', ...all }, language));
    if (place.isTiny) return;
    // On a narrow place the lines to what uses energy leave below.
    element('text', { y: isWide ? radius + 17 : -radius - (hasParts ? 24 : 9), class: 'jhName' }, group, WORDS.house.name);
    if (hasParts) element('text', { y: isWide ? radius + 33 : -radius - 9, class: 'jhNote' }, group, '{{en tout}} ' + power(all.power, language));
  }

  /** The same facts as a list of sentences. */
  function facts(found, language) {
    const nodes = ['solar', 'grid', 'battery', 'house'].filter((id) => found.nodes[id])
      .map((id) => sentence({ id: id, ...found.nodes[id] }, language));
    const moving = found.lines.filter((line) => line.power !== null && line.from !== 'house')
      .map((line) => WORDS[line.from].name + ' → ' + WORDS[line.to].name + '{{ : }}' + power(line.power, language));
    return [...nodes, ...moving, ...found.consumers.map((each) => sentence(each, language))];
  }

  house.flow = { draw: draw, facts: facts, ago: ago };
})(window.jeenergieHouse);
