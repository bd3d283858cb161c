<?php

use Jeenergie\Contract\Settings;

final class SettingsTest extends JeenergieTestCase
{
    private const FIELDS = [
        ['key' => 'n', 'label' => 'N', 'type' => 'number', 'default' => 5, 'min' => 1, 'max' => 9, 'required' => true],
        ['key' => 't', 'label' => 'T', 'type' => 'text', 'required' => true, 'when' => ['b' => true]],
        ['key' => 'b', 'label' => 'B', 'type' => 'boolean', 'default' => false],
        ['key' => 'c', 'label' => 'C', 'type' => 'choice', 'choices' => ['x' => 'X', '2' => 'Y']],
        ['key' => 's', 'label' => 'S', 'type' => 'secret'],
        ['key' => 'w', 'label' => 'W', 'type' => 'number', 'min' => 1, 'step' => 1],
        ['key' => 'h', 'label' => 'H', 'type' => 'number', 'min' => 0, 'step' => 0.1],
        ['key' => 'l', 'label' => 'L', 'type' => 'list', 'choices' => ['a' => 'A', 'b' => 'B']],
    ];

    /** @dataProvider forms */
    public function testTextOfAFormBecomesTypedAndDefaultsAreNotStored(array $form, array $stored): void
    {
        $this->assertSame($stored, Settings::compact(self::FIELDS, $form));
    }

    public static function forms(): array
    {
        return [
            'numbers' => [['n' => '7'], ['n' => 7]],
            'decimals, French too' => [['n' => '2,5'], ['n' => 2.5]],
            'the default' => [['n' => '5', 'b' => '0'], []],
            'empty' => [['n' => '', 't' => '  ', 'b' => '', 'c' => null, 'l' => ''], []],
            'boxes' => [['b' => '1', 'l' => ['a' => '1', 'b' => '0']], ['b' => true, 'l' => ['a']]],
            'lists' => [['l' => 'b, a, zz'], ['l' => ['b', 'a']]],
            'unknown ones' => [['zz' => '1', 't' => ['x']], []],
            'whole numbers, however they are written' => [['n' => '7.0'], ['n' => 7]],
            'a large one' => [['n' => '1e5'], ['n' => 100000]],
            'a secret, as it was typed' => [['s' => "  p4ss \t"], ['s' => "  p4ss \t"]],
            'a secret of blanks only' => [['s' => '  '], ['s' => '  ']],
            'no secret' => [['s' => ''], []],
            'text that looks like a number' => [['t' => '0012', 'c' => 2], ['t' => '0012', 'c' => '2']],
        ];
    }

    public function testDefaultsComeBackWhenRead(): void
    {
        $this->assertSame(['n' => 5, 'b' => false], Settings::resolve(self::FIELDS, []));
    }

    /** @dataProvider conditions */
    public function testConditions(bool $expected, array $when): void
    {
        $settings = ['mode' => 'tri', 'on' => true, 'off' => false, 'n' => 3, 'list' => ['a', 'b'], 'connection.x' => 'y'];
        $this->assertSame($expected, Settings::holds($when, $settings));
    }

    public static function conditions(): array
    {
        return [
            'none' => [true, []],
            'equal' => [true, ['mode' => 'tri']],
            'one of' => [true, ['mode' => ['mono', 'tri']]],
            'all must hold' => [false, ['mode' => 'tri', 'on' => false]],
            'yes' => [true, ['on' => true]],
            'yes as text' => [true, ['on' => '1']],
            'no' => [true, ['off' => false]],
            'absent is no' => [true, ['absent' => false]],
            'absent is not yes' => [false, ['absent' => true]],
            'number and text' => [true, ['n' => '3']],
            'one entry of a list' => [true, ['list' => ['b', 'c']]],
            'no entry of a list' => [false, ['list' => 'c']],
            'the parent' => [true, ['connection.x' => 'y']],
        ];
    }

    public function testWhatIsWrongIsSaidOfEachField(): void
    {
        $errors = Settings::errors(self::FIELDS, ['n' => 12, 'b' => true, 'c' => 'zz'], [], true);
        $this->assertCount(3, $errors);
        $this->assertStringContainsString('« N » doit être au plus 9', $errors[0]);
        $this->assertStringContainsString('« T »', $errors[1]);
        $this->assertStringContainsString('« C »', $errors[2]);
    }

    public function testAFieldThatDoesNotApplyIsNotAskedFor(): void
    {
        $this->assertSame([], Settings::errors(self::FIELDS, ['b' => false], [], true));
    }

    public function testAnIncompleteFormCanBeKept(): void
    {
        $this->assertSame([], Settings::errors(self::FIELDS, ['b' => true], [], false));
    }

    public function testAUnitMayFollowASetting(): void
    {
        $unit = ['by' => 'kind', 'gas' => 'm³', 'water' => 'l'];
        $this->assertSame('l', Settings::unit($unit, ['kind' => 'water']));
        $this->assertSame('', Settings::unit($unit, []));
        $this->assertSame('W', Settings::unit('W', []));
    }

    /** @dataProvider numbers */
    public function testANumberIsFiniteAndOnItsStep(string $sentence, string $key, string $text): void
    {
        $errors = Settings::errors(self::FIELDS, [$key => $text], [], false);
        $this->assertSame($sentence === '' ? [] : [$sentence], $errors);
        $usable = Settings::usable(self::FIELDS, [$key => $text, 't' => 'x']);
        $this->assertSame($sentence === '', isset($usable[$key]));
        $this->assertSame('x', $usable['t'], 'the others are used');
        $this->assertNotFalse(json_encode(Settings::resolve(self::FIELDS, [$key => $text])));
    }

    public static function numbers(): array
    {
        return [
            'infinite' => ['« N » doit être un nombre.', 'n', '1e999'],
            'infinite the other way' => ['« N » doit être un nombre.', 'n', '-1e999'],
            'spelt out' => ['« N » doit être un nombre.', 'n', 'INF'],
            'none' => ['« N » doit être un nombre.', 'n', 'NaN'],
            'what a browser could not read' => ['« N » doit être un nombre.', 'n', '?'],
            'too much' => ['« N » doit être au plus 9.', 'n', '1e99'],
            'between two steps' => ['« W » doit être un nombre entier.', 'w', '1.5'],
            'on a step' => ['', 'w', '3'],
            'between two small steps' => ['« H » doit avancer par pas de 0,1.', 'h', '0,25'],
            'on a small step, rounded in binary' => ['', 'h', '0.7'],
        ];
    }
}
