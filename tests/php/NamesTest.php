<?php

use Jeenergie\Equipment\Commands;
use Jeenergie\Equipment\Discovery;
use Jeenergie\Equipment\Names;

/** Names as the core and its database take them; the double takes, cuts and refuses as they do. */
final class NamesTest extends JeenergieTestCase
{
    private function create(string $name, string $key = '1'): jeenergie
    {
        $connection = jeenergie::byId(1) ?? $this->connection();
        $connection->setObject_id(5)->save();
        $equipment = Discovery::create(jeenergie::byId(1), 'meter', $key, $name);
        return jeenergie::byId($equipment->getId());
    }

    /** @dataProvider names */
    public function testANameKeepsWhatItSays(string $wanted, string $name): void
    {
        $this->assertSame($name, $this->create($wanted)->getName());
        $this->assertSame($name, Names::accepted($name), 'kept once more, it stays as it is');
    }

    public static function names(): array
    {
        return [
            'plain' => ['Ballon', 'Ballon'],
            'an ampersand' => ['Ballon & co', 'Ballon + co'],
            'an apostrophe' => ["Groupe d'onduleurs", 'Groupe d’onduleurs'],
            'all that the core takes out' => ['#1 [L1/L2] 80% "x" a\\b *', 'n°1 (L1-L2) 80％ ”x” a-b ∗'],
            'tags' => ['<b>Cave</b>', '‹b›Cave‹-b›'],
            'blanks' => ["  a \t  b  ", 'a b'],
            'nothing' => ['', 'Meter 1 (House)'],
            'blanks only' => ["  \n ", 'Meter 1 (House)'],
            'no text' => ["Caf\xe9", 'Caf?'],
        ];
    }

    public function testALongNameIsCutAtTheEndOfACharacter(): void
    {
        foreach (['é', 'a' . str_repeat('é', 70), str_repeat('aé€', 40), str_repeat('🔋', 40)] as $start) {
            $name = $this->create(str_repeat($start, 70), sha1($start))->getName();
            $this->assertTrue(mb_check_encoding($name, 'UTF-8'));
            $this->assertGreaterThan(123, strlen($name));
            $this->assertLessThanOrEqual(127, strlen($name));
        }
    }

    public function testNamesThatTheDatabaseTakesForTheSameAreNumbered(): void
    {
        $this->assertSame('Entrée', $this->create('Entrée', '1')->getName());
        $this->assertSame('ENTREE 2', $this->create('ENTREE', '2')->getName());
        $this->assertSame('Entrée 3', $this->create('Entrée', '3')->getName());
        $long = str_repeat('é', 80);
        $this->assertSame(str_repeat('é', 63), $this->create($long, '4')->getName());
        $this->assertSame(str_repeat('é', 62) . ' 2', $this->create($long, '5')->getName());
    }

    public function testANameThatTheUserEmptiesIsAskedFor(): void
    {
        $meter = $this->create('Meter');
        $this->expectExceptionMessage('Donnez un nom.');
        $meter->setName('  ')->save();
    }

    public function testACommandKeepsItsNameAndIsNeverCutThroughACharacter(): void
    {
        $meter = $this->create('Meter');
        $power = $this->cmd($meter, 'power');
        $power->setName("Puissance d'appoint " . str_repeat('é', 80))->save();
        $name = $this->cmd($meter, 'power')->getName();
        $this->assertStringStartsWith('Puissance d’appoint éé', $name);
        $this->assertTrue(mb_check_encoding($name, 'UTF-8'));
        $this->expectExceptionMessage('Donnez un nom.');
        $power->setName(' ')->save();
    }

    public function testACommandIsNumberedWhenAnotherHasTheSameNameToTheDatabase(): void
    {
        $meter = $this->create('Meter');
        $this->cmd($meter, 'power')->setName('index 1 ')->save();
        Commands::seen($meter, ['index1']);
        $this->assertSame('Index 1 2', $this->cmd($meter, 'index1')->getName());
    }

    public function testEquipmentThatFollowsItsConnectionIntoAnObjectIsNumberedThere(): void
    {
        $other = $this->connection([], 'Other');
        $homeless = Discovery::create($other, 'meter', '1', 'Meter');
        $first = $this->connection([], 'First');
        $first->setObject_id(5)->save();
        Discovery::create(jeenergie::byId($first->getId()), 'meter', '1', 'Meter');
        jeenergie::byId($other->getId())->setObject_id(5)->save();
        $homeless = jeenergie::byId($homeless->getId());
        $this->assertSame([5, 'Meter 2'], [(int) $homeless->getObject_id(), $homeless->getName()]);
        $this->assertSame([], Memory::$logs);
    }

    public function testTwoSearchesAtOnceDoNotCreateTheSameEquipmentTwice(): void
    {
        $connection = $this->connection();
        $found = [['type' => 'meter', 'key' => '8', 'name' => 'Eight']];
        $this->assertCount(1, Discovery::createAll($connection, $found));
        $this->assertSame([], Discovery::createAll($connection, $found));
    }
}
