/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Figures of the energy panel: which stand side by side, of which parts one consists, and what is left over. Pure functions
 * from the series of equipment and their days; they know kinds of figures, but no system.
 */
(function() {
  'use strict';

  const KINDS = { energy: ['consumption', 'production', 'solar', 'import', 'export'], money: ['cost', 'gain'] };
  /** Figures of their own that are part of another one: a cost includes the subscription. */
  const WITHIN = { cost: 'subscription' };
  /** Parts of a tariff that a split by colour replaces. */
  const UNCOLOURED = ['peak', 'offPeak'];
  /** Differences per day that rounding may cause, by unit. */
  const ROUNDING_ERROR = { '€': 0.04, kWh: 0.011 };

  /** The series of an equipment that a kind is made of. */
  function ofKind(equipment, kind) {
    const own = equipment.series.filter((each) => each.kind === kind);
    return {
      wholes: own.filter((each) => each.part === ''),
      parts: own.filter((each) => each.part !== ''),
      within: equipment.series.filter((each) => each.kind === WITHIN[kind])
    };
  }

  /** The commands whose days are needed. */
  function commands(equipments, figure, split) {
    const found = [];
    equipments.forEach((equipment) => KINDS[figure].forEach((kind) => {
      const { wholes, parts, within } = ofKind(equipment, kind);
      found.push(...wholes, ...(split || !wholes.length ? parts : []), ...(split && parts.length ? within : []));
    }));
    return found.map((each) => each.cmd);
  }

  /** True if any of these figures can be split by tariff. */
  function hasParts(equipments, figure) {
    return equipments.some((equipment) => KINDS[figure].some((kind) => ofKind(equipment, kind).parts.length > 0));
  }

  function sum(list) {
    const total = {};
    list.forEach((days) => Object.entries(days).forEach(([day, value]) => { total[day] = (total[day] || 0) + value; }));
    return total;
  }

  const some = (days) => Object.keys(days).length > 0;

  /** Drops peak and off-peak on days that are split by colour, which would otherwise be counted twice. */
  function withoutDoubles(parts) {
    const fine = sum(parts.filter((each) => !UNCOLOURED.includes(each.color)).map((each) => each.days));
    return parts.map((each) => (UNCOLOURED.includes(each.color)
      ? { ...each, days: Object.fromEntries(Object.entries(each.days).filter(([day]) => !(day in fine))) }
      : each)).filter((each) => some(each.days));
  }

  /** What the parts do not account for, by day. */
  function rest(whole, parts, unit) {
    const known = sum(parts.map((each) => each.days));
    return Object.fromEntries(Object.entries(whole)
      .map(([day, value]) => [day, value - (known[day] || 0)])
      .filter(([, value]) => value > (ROUNDING_ERROR[unit] || 0.001)));
  }

  /**
   * The figures to draw.
   *
   * equipments: as `equipment` of the panel's ajax; days: {<cmd>: {<day>: number}}, as its `days`.
   * Returns [{key, kind, part, role, color, ink, unit, equipment, stack, days}]; role: whole, part, within or rest.
   */
  function figures(equipments, figure, split, days) {
    const found = [];
    const daysOf = (each) => days[each.cmd] || {};
    equipments.forEach((equipment) => KINDS[figure].forEach((kind) => {
      const { wholes, parts, within } = ofKind(equipment, kind);
      if (!wholes.length && !parts.length) {
        return;
      }
      const unit = [...wholes, ...parts][0].unit;
      const ink = [...wholes, ...parts][0].ink;
      const add = (role, part, color, own) => found.push({
        ink: ink, key: [equipment.id, kind, role, part].join('|'), kind: kind, part: part, role: role, color: color, unit: unit,
        equipment: equipment, stack: equipment.id + ' ' + kind, days: own
      });
      const each = withoutDoubles(parts.map((part) => ({ ...part, days: daysOf(part) })));
      const whole = sum((wholes.length ? wholes.map(daysOf) : each.map((part) => part.days)));
      if (!split || !each.length) {
        add('whole', '', '', whole);
        return;
      }
      const inside = within.map((part) => ({ ...part, days: daysOf(part) })).filter((part) => some(part.days));
      const left = wholes.length ? rest(whole, [...each, ...inside], unit) : {};
      each.forEach((part) => add('part', part.part, part.color, part.days));
      inside.forEach((part) => add('within', part.kind, '', part.days));
      if (some(left)) {
        add('rest', '', '', left);
      }
    }));
    return found;
  }

  window.jeenergieFigures = { commands: commands, hasParts: hasParts, figures: figures };
})();
