/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * A form made of fields of the catalogue: text, secret, number, boolean, choice, list, command; conditions
 * ("when"), required and advanced ones. The same rules as Contract/Settings.php on the server.
 */
(function(jn) {
  'use strict';

  let count = 0;

  /** A setting as text for comparison, as PHP and the daemon compare it: an empty one equals "no". */
  function asText(value) {
    if (value === true) return '1';
    return value === undefined || value === null || value === '' || value === false ? '0' : String(value);
  }

  /** True if all conditions of a "when" hold with these settings (see core/contract/vectors/when.json). */
  jn.holds = function(when, settings) {
    return Object.entries(when || {}).every(function([key, wanted]) {
      const values = [].concat(key in settings ? settings[key] : '').map(asText);
      return [].concat(wanted).map(asText).some(function(each) { return values.includes(each); });
    });
  };

  /** A value in the type of its field; undefined if it is empty or cannot be read. */
  function typed(field, value) {
    if (value === undefined || value === null || value === '') return undefined;
    if (field.type === 'list') {
      return (Array.isArray(value) ? value : String(value).split(',')).map(function(each) { return String(each).trim(); })
        .filter(function(each) { return each in field.choices; });
    }
    if (field.type === 'boolean') return ![false, 0, '0', 'false'].includes(value);
    if (field.type === 'secret') return String(value);
    const text = String(value).trim();
    if (field.type !== 'number') return text || undefined;
    const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.replace(',', '.')) ? Number(text.replace(',', '.')) : NaN;
    if (!Number.isFinite(number)) return undefined;
    const atLeast = field.min === undefined ? number : Math.max(number, field.min);
    return field.max === undefined ? atLeast : Math.min(atLeast, field.max);
  }

  /** Settings in force: typed, with defaults for empty ones (see core/contract/vectors/settings.json). */
  jn.resolved = function(fields, values) {
    const known = {};
    fields.forEach(function(field) {
      const own = typed(field, values[field.key]);
      const value = own === undefined ? field.default : own;
      if (value !== undefined) known[field.key] = value;
    });
    return known;
  };

  /** Scheme and host of an address, for comparison (see core/contract/vectors/hosts.json). */
  jn.hostOf = function(address) {
    const text = String(address === undefined ? '' : address).trim().toLowerCase();
    const parts = /^([^:/]+:\/\/)(?:[^/?#]*@)?(\[[^\]]*\]|[^:/?#]*)/.exec(text);
    return parts ? parts[1] + parts[2] : text.replace(/:\d+$/, '');
  };

  /*
   * Each input is {element, get(): what is sent to the server, isEmpty()}; all of them call changed() on a change.
   */
  const makers = {
    text: function(field, value, id) {
      const element = jn.el('input', { type: 'text', class: 'form-control', id: id, placeholder: field.placeholder || field.default, autocomplete: 'off', spellcheck: 'false' });
      element.value = value === undefined ? '' : value;
      return simple(element, element);
    },

    secret: function(field, value, id, options) {
      const element = jn.el('input', {
        type: 'password', class: 'form-control roundedLeft', id: id, autocomplete: 'new-password', spellcheck: 'false',
        placeholder: options.isSet ? '{{inchangé}}' : field.placeholder
      });
      const eye = jn.el('a', { class: 'btn btn-default roundedRight', role: 'button', tabindex: 0, title: '{{Voir ce qui est saisi}}' }, [jn.icon('fas fa-eye')]);
      eye.addEventListener('click', function() {
        element.type = element.type === 'password' ? 'text' : 'password';
        eye.firstChild.className = element.type === 'password' ? 'fas fa-eye' : 'fas fa-eye-slash';
      });
      // Not trimmed: blanks may be part of a password.
      const get = function() { return element.value; };
      const moved = jn.el('span', { class: 'jnHelp jnMoved', text: "{{L'adresse a changé : ce qui est enregistré n'y est pas envoyé sans vous. Saisissez-le de nouveau.}}" });
      let isAsked = false;
      return {
        element: jn.el('div', {}, [
          jn.el('div', { class: 'input-group' }, [element, jn.el('span', { class: 'input-group-btn' }, [eye])]), moved
        ]),
        get: get, setting: get, isEmpty: function() { return get() === '' && (isAsked || !options.isSet); },
        // The saved secret is sent only to the address it was entered for.
        askAgain: function(isMoved) {
          isAsked = isMoved && options.isSet;
          element.placeholder = isAsked ? '{{à saisir de nouveau}}' : options.isSet ? '{{inchangé}}' : field.placeholder || '';
          moved.style.display = isAsked ? '' : 'none';
        }
      };
    },

    number: function(field, value, id) {
      const element = jn.el('input', { type: 'number', class: 'form-control', id: id, min: field.min, max: field.max, step: field.step || 'any', placeholder: field.placeholder || field.default });
      element.value = value === undefined ? '' : value;
      if (!field.unit) return simple(element, element);
      element.addClass('roundedLeft');
      return simple(jn.el('div', { class: 'input-group' }, [element, jn.el('span', { class: 'input-group-addon roundedRight', text: field.unit })]), element);
    },

    boolean: function(field, value, id) {
      const element = jn.el('input', { type: 'checkbox', id: id });
      element.checked = [true, 1, '1', 'true'].includes(value);
      const input = simple(element, element);
      input.get = function() { return element.checked ? '1' : '0'; };
      input.setting = function() { return element.checked; };
      input.isEmpty = function() { return false; };
      return input;
    },

    choice: function(field, value, id) {
      const element = jn.el('select', { class: 'form-control', id: id });
      if (field.default === undefined) element.append(jn.el('option', { value: '', text: '' }));
      choicesOf(field).forEach(function([key, label]) {
        element.append(jn.el('option', { value: key, text: label }));
      });
      element.value = value === undefined ? '' : value;
      const input = simple(element, element);
      // A choice that does not apply is not offered, unless it is the one that is saved.
      input.offer = function(known) {
        Array.from(element.options).forEach(function(option) {
          const offered = jn.holds((field.choicesWhen || {})[option.value], known) || option.value === element.value;
          option.hidden = option.disabled = !offered;
        });
      };
      return input;
    },

    list: function(field, value, id) {
      const chosen = [].concat(value === undefined ? [] : value).map(String);
      const groups = {};
      const boxes = choicesOf(field).map(function([key, label], index) {
        const box = jn.el('input', { type: 'checkbox', value: key, id: index === 0 ? id : undefined });
        box.checked = chosen.includes(key);
        const [group, name] = label.includes(' : ') ? label.split(/ : (.*)/) : ['', label];
        const element = jn.el('label', { class: 'checkbox-inline jnBox' }, [box, group ? name.charAt(0).toUpperCase() + name.slice(1) : name]);
        (groups[group] = groups[group] || []).push(element);
        return [box, element];
      });
      const get = function() {
        return boxes.filter(function(each) { return each[0].checked; }).map(function(each) { return each[0].value; });
      };
      return {
        element: jn.el('div', {}, Object.entries(groups).map(function([group, members]) {
          const inside = jn.el('div', { class: 'jnBoxes' }, members);
          return group ? jn.el('fieldset', { class: 'jnBoxGroup' }, [jn.el('legend', { text: group }), inside]) : inside;
        })),
        get: get, setting: get, isEmpty: function() { return get().length === 0; }
      };
    },

    command: function(field, value, id, options) {
      const element = jn.el('input', { type: 'text', class: 'form-control roundedLeft', id: id, placeholder: '{{Aucune commande}}', autocomplete: 'off', spellcheck: 'false' });
      element.value = value === undefined ? '' : value;
      const pick = jn.el('a', { class: 'btn btn-default roundedRight', role: 'button', tabindex: 0, title: '{{Choisir une commande}}' }, [jn.icon('fas fa-list-alt')]);
      pick.addEventListener('click', function() {
        jeedom.cmd.getSelectModal({ cmd: { type: field.listens ? 'info' : 'action' } }, function(result) {
          element.value = result.human;
          options.changed();
        });
      });
      return simple(jn.el('div', { class: 'input-group' }, [element, jn.el('span', { class: 'input-group-btn' }, [pick])]), element);
    }
  };

  /** [value, label] of each choice, in the catalogue's order. */
  function choicesOf(field) {
    return (field.order || Object.keys(field.choices)).map(function(key) { return [key, field.choices[key]]; });
  }

  /** A read-only field: shows its value in words, and sends nothing. */
  function fixed(field, value) {
    const words = field.type === 'boolean'
      ? [[true, 1, '1', 'true'].includes(value) ? '{{oui}}' : '{{non}}']
      : [].concat(value === undefined ? [] : value).map(function(each) { return (field.choices || {})[each] || String(each); });
    const text = words.join(', ') + (field.unit && words.length ? ' ' + field.unit : '');
    return {
      element: jn.el('p', { class: 'form-control-static', text: text || '–' }),
      get: function() { return value; }, setting: function() { return value === undefined ? '' : value; }, isEmpty: function() { return false; }
    };
  }

  /** Why a number is not accepted, in the words of the server; '' if it is. */
  function complaint(holder) {
    const state = holder.validity;
    if (holder.type !== 'number' || state.valid) return '';
    if (state.badInput) return '{{Ce doit être un nombre.}}';
    if (state.rangeUnderflow) return jn.fill('{{Au moins %s.}}', jn.decimal(holder.min));
    if (state.rangeOverflow) return jn.fill('{{Au plus %s.}}', jn.decimal(holder.max));
    return holder.step === '1' ? '{{Ce doit être un nombre entier.}}' : jn.fill('{{Par pas de %s.}}', jn.decimal(holder.step));
  }

  function simple(element, holder) {
    // A browser returns '' for an invalid number, which would mean the default: send it so that the server refuses it.
    const get = function() { return holder.validity.badInput ? '?' : holder.value.trim(); };
    return { element: element, get: get, setting: get, isEmpty: function() { return get() === ''; }, check: function() { return complaint(holder); } };
  }

  /**
   * Draws a form.
   *
   * @param container emptied first
   * @param fields of the catalogue
   * @param options values: saved settings; secretsSet: keys of the secrets that are saved; context(): other
   *   settings that a "when" may read; changed(): called on each change by the user; narrow: label above its input;
   *   folded: where what is seldom needed goes (default: below the rest)
   * @return {values(), settings(), missing(): labels, mark(): shows what is missing, refresh()}
   */
  jn.form = function(container, fields, options) {
    const saved = options.values || {};
    const rows = fields.map(function(field) { return row(field); });
    const advanced = jn.el('details', { class: 'jnAdvanced' }, [jn.el('summary', { text: '{{Réglages avancés}}' })]);

    function row(field) {
      const id = 'in_jeenergieField' + (++count);
      const value = saved[field.key] === undefined ? field.default : saved[field.key];
      const maker = field.readonly ? fixed : makers[field.type] || makers.text;
      const input = maker(field, value, id, { isSet: (options.secretsSet || []).includes(field.key), changed: changed });
      const required = field.required ? jn.el('span', { class: 'jnRequired', text: '\u00a0*', title: '{{Obligatoire}}' }) : null;
      const help = field.help ? jn.linked(jn.bound(field.help), { class: 'jnHelp' }) : null;
      const label = jn.el('label', { class: options.narrow ? '' : 'col-sm-4 control-label', for: field.readonly ? null : id }, [field.label, required]);
      const boxFirst = options.narrow && field.type === 'boolean';
      const wrong = jn.el('span', { class: 'jnHelp jnWrong', role: 'alert', hidden: true });
      const element = jn.el('div', { class: 'form-group', 'data-jn_field': field.key }, boxFirst ? [input.element, ' ', label, help] : [
        label, jn.el('div', { class: options.narrow ? '' : 'col-sm-7' }, [input.element, wrong, help])
      ]);
      element.addEventListener('input', changed);
      element.addEventListener('change', function() {
        wrong.textContent = input.check ? input.check() : '';
        wrong.hidden = wrong.textContent === '';
      });
      element.addEventListener('change', changed);
      return { field: field, input: input, element: element, shown: true };
    }

    function settings() {
      return jn.resolved(fields, Object.fromEntries(rows.map(function(each) { return [each.field.key, each.input.setting()]; })));
    }

    /** True if an address to which a secret is sent has another host than the saved one. */
    function isMoved(key) {
      return rows.some(function(each) {
        const before = saved[each.field.key] === undefined ? each.field.default : saved[each.field.key];
        return (each.field.sends || []).includes(key) && before !== undefined && before !== ''
          && jn.hostOf(before) !== jn.hostOf(each.input.get() || each.field.default);
      });
    }

    function refresh() {
      rows.forEach(function(each) { if (each.input.askAgain) each.input.askAgain(isMoved(each.field.key)); });
      const known = Object.assign({}, options.context ? options.context() : {}, settings());
      rows.forEach(function(each) {
        each.shown = jn.holds(each.field.when, known);
        each.element.style.display = each.shown ? '' : 'none';
        if (each.input.offer) each.input.offer(known);
      });
      const some = rows.some(function(each) { return each.field.advanced && each.shown; });
      advanced.style.display = some ? '' : 'none';
    }

    function changed(event) {
      event?.currentTarget.removeClass('has-error');
      refresh();
      if (options.changed) options.changed();
    }

    container.empty();
    rows.forEach(function(each) { (each.field.advanced ? advanced : container).append(each.element); });
    (options.folded || container).append(advanced);
    refresh();

    const missing = function() {
      return rows.filter(function(each) { return each.shown && each.field.required && each.input.isEmpty(); });
    };
    return {
      /** Values of all fields, hidden ones included: the server ignores those that do not apply. */
      values: function() {
        return Object.fromEntries(rows.filter(function(each) { return !each.field.readonly; }).map(function(each) {
          return [each.field.key, each.input.get()];
        }));
      },
      settings: settings,
      refresh: refresh,
      missing: function() { return missing().map(function(each) { return each.field.label; }); },
      mark: function() {
        missing().forEach(function(each) {
          each.element.addClass('has-error');
          if (each.field.advanced) advanced.open = true;
        });
      }
    };
  };
})(window.jeenergiePage);
